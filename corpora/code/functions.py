"""Cut a function out of a file with what it needs to run alone: its source and the standard-library imports it uses.

A function that uses anything else of its file is not cut. Whether the result runs is for the sandbox to say; here it is
only read. Which modules are standard is the running interpreter's view.
"""

import ast
import builtins
import symtable
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """A function that stands alone."""

    name: str
    imports: str
    """Import statements that it uses, one a line."""
    head: str
    """Decorators, signature and docstring."""
    source: str
    docstring: str

    @property
    def program(self) -> str:
        """Imports and function."""
        return f"{self.imports}\n\n\n{self.source}" if self.imports else self.source


def standard_imports(code: str) -> dict[str, str] | None:
    r"""Map names to the statement that binds them, for a file's top-level imports of standard modules.

    A name that is bound in another way later is left out. None when the running interpreter cannot parse the file.

    >>> standard_imports("import os.path\nfrom json import loads as read\nimport numpy\n")
    {'os': 'import os.path', 'read': 'from json import loads as read'}
    """
    tree = _parse(code)
    if tree is None:
        return None
    bound: dict[str, str] = {}
    for statement in tree.body:
        for name, binding in _bindings(statement):
            if binding is None:
                bound.pop(name, None)
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                bound[name] = binding
            else:  # under try or if: the first way is the usual one
                bound.setdefault(name, binding)
    return bound


def cut(code: bytes, start: int, docstring_end: int, end: int, imports: dict[str, str]) -> Cut | None:
    """Cut the function at code[start:end]; None when it needs more than `imports` or is not a plain top-level one."""
    source, head = code[start:end].decode(), code[start:docstring_end].decode()
    tree = _parse(source)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return None
    function = tree.body[0]
    needed = global_names(source) - {function.name} - set(dir(builtins))
    docstring = ast.get_docstring(function)
    if docstring is None or not needed <= imports.keys():
        return None
    used = dict.fromkeys(statement for name, statement in imports.items() if name in needed)
    return Cut(function.name, "\n".join(used), head, source, docstring)


def global_names(source: str) -> set[str]:
    r"""Name everything that a function's source takes from around it: its body, defaults, annotations, decorators.

    >>> sorted(global_names("def f(x: List) -> int:\n    y = len(x)\n    return y + K"))
    ['K', 'List', 'int', 'len']
    """
    pending, names = [symtable.symtable(source, "<function>", "exec")], set()
    while pending:
        table = pending.pop()
        outermost = table.get_type() == "module"
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (outermost or s.is_global())}
        names |= {s.get_name() for s in table.get_symbols() if s.is_declared_global()}
        pending.extend(table.get_children())
    return names


def tidy(code: str) -> str:
    """Replace tabs by spaces and drop spaces at line ends, where that leaves the program the same."""
    clean = "\n".join(line.rstrip() for line in code.expandtabs(4).split("\n")).strip("\n") + "\n"
    before, after = _parse(code), _parse(clean)
    same = before is not None and after is not None and ast.dump(before) == ast.dump(after)
    return clean if same else code


def _parse(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in others' code
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, str | None]]:
    """Give the names that a top-level statement binds, each with its import statement, or None for another binding."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield _imported(statement, alias)
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name, None
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, None
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imported = (_imported(node, alias) for alias in node.names)
                yield from ((name, binding) for name, binding in imported if binding is not None)


def _imported(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str | None]:
    as_name = f" as {alias.asname}" if alias.asname else ""
    if isinstance(statement, ast.Import):
        name = alias.asname or alias.name.partition(".")[0]
        return name, f"import {alias.name}{as_name}" if _is_standard(alias.name) else None
    module = statement.module or ""
    usable = statement.level == 0 and alias.name != "*" and module != "__future__" and _is_standard(module)
    return alias.asname or alias.name, f"from {module} import {alias.name}{as_name}" if usable else None


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
