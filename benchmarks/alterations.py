"""What someone may do to a benchmark problem before it lands in a repository: one function a change, text to text.

Each takes the text of a Python program and gives the changed one, or None when there is nothing to change. Names are
changed on the syntax tree, consistently, and never those of imports, attributes and built-ins.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import keyword
import re
import textwrap
import tokenize
from collections.abc import Callable

FOREIGN = (
    "Die Funktion bekommt eine Liste von Zahlen und liefert das Ergebnis als neue Liste zurück, wobei die Reihenfolge "
    "erhalten bleibt; leere Eingaben ergeben einen leeren Wert, und falsche Eingaben werden nicht eigens behandelt."
)
"""Stands for a docstring in another language: it shares no run with any benchmark."""


def published(text: str) -> str:
    """Change nothing."""
    return text


def tabs(text: str) -> str:
    """Indent by tabs."""
    return re.sub(r"(?m)^(?: {4})+", lambda match: "\t" * (len(match[0]) // 4), text)


def two_spaces(text: str) -> str:
    """Indent by two spaces."""
    return re.sub(r"(?m)^(?: {4})+", lambda match: "  " * (len(match[0]) // 4), text)


def blank_lines(text: str) -> str:
    """Put an empty line after each."""
    return text.replace("\n", "\n\n")


def in_json(text: str) -> str:
    """Write the program as a JSON string, as data sets do."""
    return f"ROWS = [{json.dumps(text)}]\n"


def upper_case(text: str) -> str:
    """Write everything in capitals."""
    return text.upper()


def reflowed(text: str) -> str | None:
    """Wrap the docstring at 40 characters."""
    return _docstrings(text, lambda value: "\n" + textwrap.fill(" ".join(value.split()), 40) + "\n")


def as_comments(text: str) -> str | None:
    """Turn the docstring into comments in front of the program."""
    value = _first_docstring(text)
    comments = "".join(f"# {line.strip()}\n" for line in (value or "").strip().splitlines())
    rest = without_docstrings(text)
    return comments + rest if value and rest else None


def without_docstrings(text: str) -> str | None:
    """Leave the docstrings out."""
    return _docstrings(text, lambda _: None)


def translated(text: str) -> str | None:
    """Put the docstrings into another language, and leave comments out."""
    plain = without_comments(text) or text
    return _docstrings(plain, lambda _: FOREIGN)


def without_comments(text: str) -> str | None:
    """Leave comments out; None when there is none."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    lines, found = text.splitlines(), [token for token in tokens if token.type == tokenize.COMMENT]
    for token in found:
        row, column = token.start
        lines[row - 1] = lines[row - 1][:column].rstrip()
    return "\n".join(lines) + "\n" if found else None


def renamed(text: str) -> str | None:
    """Give every variable, parameter and function another name, and leave docstrings as they are."""
    return _rename(text, lambda _, number: f"v{number}")


def renamed_bare(text: str) -> str | None:
    """Give every name another one, and leave docstrings and comments out."""
    bare = without_docstrings(text) or text
    return renamed(without_comments(bare) or bare)


def camel_case(text: str) -> str | None:
    """Write names in the other style, some_name as someName, and leave docstrings out."""
    bare = without_docstrings(text) or text
    return _rename(
        bare,
        lambda name, _: (
            re.sub(r"_+([a-zA-Z0-9])", lambda match: match[1].upper(), name) if "_" in name else f"{name}Value"
        ),
    )


def unparsed(text: str) -> str | None:
    """Write the program anew from its syntax tree: other quotes, brackets and line ends, no comments."""
    tree = _parsed(text)
    return ast.unparse(tree) + "\n" if tree else None


def reordered(text: str) -> str | None:
    """Turn the order of the functions around; None when there is one only."""
    tree = _parsed(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)] if tree else []
    if tree is None or len(functions) < 2:
        return None
    rest = [node for node in tree.body if node not in functions]
    tree.body = [*rest, *reversed(functions)]
    return ast.unparse(tree) + "\n"


ALTERATIONS: dict[str, Callable[[str], str | None]] = {
    "as published": published,
    "tabs": tabs,
    "two spaces": two_spaces,
    "blank lines": blank_lines,
    "inside JSON": in_json,
    "capitals": upper_case,
    "docstring re-flowed": reflowed,
    "docstring as comments": as_comments,
    "docstring removed": without_docstrings,
    "docstring and comments translated": translated,
    "comments removed": without_comments,
    "written anew from the tree": unparsed,
    "functions reordered": reordered,
    "names changed": renamed,
    "names changed, no docstring": renamed_bare,
    "names in camel case, no docstring": camel_case,
}


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _documented(tree: ast.Module) -> list[tuple[ast.FunctionDef | ast.ClassDef | ast.Module, ast.Expr]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            statement = node.body[0]
            if isinstance(statement, ast.Expr):
                found.append((node, statement))
    return found


def _first_docstring(text: str) -> str | None:
    tree = _parsed(text)
    found = _documented(tree) if tree else []
    return ast.get_docstring(found[-1][0]) if found else None


def _docstrings(text: str, change: Callable[[str], str | None]) -> str | None:
    """Replace docstrings in place, so that the rest keeps its form; None from `change` leaves one out."""
    tree = _parsed(text)
    found = _documented(tree) if tree else []
    lines = text.splitlines(keepends=True)
    for node, statement in sorted(found, key=lambda pair: -pair[1].lineno):
        value = change(ast.get_docstring(node) or "")
        indent = " " * statement.col_offset
        new = "" if value is None else textwrap.indent(f'"""{value}"""', indent) + "\n"
        if not new and len(node.body) == 1:
            new = f"{indent}pass\n"
        lines[statement.lineno - 1 : statement.end_lineno] = [new]
    return "".join(lines) if found else None


def _rename(text: str, change: Callable[[str, int], str]) -> str | None:
    """Change the names that a program binds, wherever they stand as names."""
    tree = _parsed(text)
    if tree is None:
        return None
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    bound -= {
        *vars(builtins),
        *keyword.kwlist,
        *(node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg),
    }
    table = {name: change(name, number) for number, name in enumerate(sorted(bound))}
    pieces, end = [], (1, 0)
    lines = text.splitlines(keepends=True)

    def upto(row: int, column: int) -> str:
        first, start = end
        if first == row:
            return lines[row - 1][start:column]
        return lines[first - 1][start:] + "".join(lines[first : row - 1]) + lines[row - 1][:column]

    previous = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string in table and previous != ".":
            pieces += [upto(*token.start), table[token.string]]
            end = token.end
        previous = token.string
    return "".join(pieces) + upto(len(lines), len(lines[-1])) if table else None
