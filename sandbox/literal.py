"""Literal tests, decided outside: asserts are parsed here, calls are sent in, plain results are compared here.

Guarantees: expected values and the text of the tests stay on this side; values are of exact builtin types, so `==` is
Python's own; a test that is not literal is NotLiteral, never guessed at. What a test may hold: literals, calls of the
candidate with literal arguments, arithmetic, comparisons, and a few pure builtins, all within bounds, because tests may
be model-written. On the canonical solutions this covers 158 of 164 HumanEval and 969 of 974 MBPP problems. Leaves out:
loops, helper functions, objects passed from call to call.
"""

from __future__ import annotations

import ast
import contextlib
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.bounded import BINARY, COMPARE, PURE, UNARY

Call = Callable[[str, list[Any], dict[str, Any]], Any]
"""Asks the candidate: function, arguments, keywords -> a plain value."""
Thunk = Callable[[Call], Any]
"""A part of a check, ready to be evaluated."""


# tests are others' text: what the compiler would say about their style is not for our terminal
warnings.filterwarnings("ignore", module="<tests>")


class NotLiteral(Exception):
    """These tests need more than literals and calls."""


class NotTests(Exception):
    """This is not Python."""


@dataclass(frozen=True)
class Check:
    """One assert."""

    tests: str  # not its tree: the collector would visit every tree that is kept
    place: tuple[int, int]  # line and column
    holds: Thunk

    @property
    def text(self) -> str:
        """Only asked for when the check does not hold: writing it out costs more than parsing it."""
        try:
            (statement,) = (node for node in ast.walk(ast.parse(self.tests, "<tests>")) if _place(node) == self.place)
            return ast.unparse(statement)[:200]
        except RecursionError:
            return f"line {self.place[0]}"


def _place(node: ast.AST) -> tuple[int, int] | None:
    return (node.lineno, node.col_offset) if isinstance(node, ast.Assert) else None


def parse_tests(tests: str, entry_point: str | None = None) -> list[Check]:
    """The asserts of a HumanEval `check` or of a module. NotLiteral when any part is more than that.

    NotTests when it does not parse.
    """
    try:
        body = ast.parse(tests, "<tests>").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotTests(f"the tests do not parse: {error}") from None
    candidate, body = _body_of_check(body, entry_point)
    asserts = [statement for statement in body if not _is_idle(statement)]
    for statement in asserts:
        if not isinstance(statement, ast.Assert):
            raise NotLiteral(f"line {statement.lineno}: {type(statement).__name__}")
    functions = {candidate: entry_point} if candidate and entry_point else {}
    functions |= {entry_point: entry_point} if entry_point else {}
    checks = _compile(tests, asserts, functions)
    if checks is None and (name := only_name_called(asserts)):  # it is the candidate's even when it is `sum`
        checks = _compile(tests, asserts, {name: name})
    if checks is None:
        raise NotLiteral("the tests call nothing")
    return checks


def _compile(tests: str, asserts: Sequence[ast.stmt], functions: dict[str, str]) -> list[Check] | None:
    """None when no check calls the candidate: nothing would be tested."""
    compiler = _Compiler(functions)
    try:
        checks = [
            Check(tests, (statement.lineno, statement.col_offset), compiler.expression(statement.test))
            for statement in asserts
            if isinstance(statement, ast.Assert)
        ]
    except RecursionError:
        raise NotLiteral("nested too deep") from None
    return checks if compiler.has_called else None


def _body_of_check(body: list[ast.stmt], entry_point: str | None) -> tuple[str | None, list[ast.stmt]]:
    """The parameter and body of `def check(candidate)` where there is one, else the module's body."""
    checks = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if not checks:
        return None, body
    parameters = checks[0].args.args
    if len(checks) > 1 or len(parameters) != 1 or entry_point is None:
        raise NotLiteral("not one `def check(candidate)` with an entry point")
    for node in body:
        if node is not checks[0] and not _is_idle(node) and not is_call_of_check(node):
            raise NotLiteral(f"line {node.lineno}: {type(node).__name__} beside check")
    return parameters[0].arg, checks[0].body


def is_call_of_check(node: ast.stmt) -> bool:
    """Whether a statement is `check(...)`."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and name_of(node.value.func) == "check"


def _is_idle(node: ast.stmt) -> bool:
    """A statement that cannot change what the asserts mean."""
    if isinstance(node, ast.Import):
        return all(alias.name == "math" and not alias.asname for alias in node.names)
    if isinstance(node, ast.Assign):
        return len(node.targets) == 1 and name_of(node.targets[0]) == "METADATA"
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Name))
    )


def only_name_called(asserts: Sequence[ast.stmt]) -> str | None:
    """The one function that every assert calls."""
    names = set()
    for statement in asserts:
        test = statement.test if isinstance(statement, ast.Assert) else None
        left = test.left if isinstance(test, ast.Compare) else test
        names.add(name_of(left.func) if isinstance(left, ast.Call) else None)
    return names.pop() if len(names) == 1 else None


def name_of(node: ast.expr) -> str | None:
    """The name that an expression is, if it is one."""
    return node.id if isinstance(node, ast.Name) else None


class _Known:
    """A Thunk without a call in it: its value is made once, and nothing changes it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _: Call) -> Any:
        return self.value


def _built(build: Callable[[list[Any]], Any], parts: list[Thunk]) -> Thunk:
    """The Thunk of a container."""
    if all(type(part) is _Known for part in parts):
        with contextlib.suppress(TypeError):  # of a key that cannot be hashed: it is raised when the check's turn comes
            return _Known(build([part.value for part in parts]))  # type: ignore[attr-defined]
    return lambda call: build([part(call) for part in parts])


class _Compiler:
    """Turns an expression into a Thunk, one method a node; a node without a method is not literal."""

    def __init__(self, functions: dict[str, str]) -> None:
        self._functions = functions
        self._is_inside_call = False
        self.has_called = False

    def expression(self, node: ast.expr) -> Thunk:
        method = _METHODS.get(type(node))
        if method is None:
            raise NotLiteral(f"line {node.lineno}: {type(node).__name__}")
        return method(self, node)

    def _all(self, nodes: Sequence[ast.expr]) -> list[Thunk]:
        return [self.expression(node) for node in nodes]

    def _constant(self, node: ast.Constant) -> Thunk:
        if node.value is ...:
            raise NotLiteral(f"line {node.lineno}: an ellipsis")
        return _Known(node.value)

    def _list(self, node: ast.List) -> Thunk:
        return _built(list, self._all(node.elts))

    def _tuple(self, node: ast.Tuple) -> Thunk:
        return _built(tuple, self._all(node.elts))

    def _set(self, node: ast.Set) -> Thunk:
        return _built(set, self._all(node.elts))

    def _dict(self, node: ast.Dict) -> Thunk:
        if None in node.keys:
            raise NotLiteral(f"line {node.lineno}: ** in a dict")
        pairs = zip(node.keys, node.values, strict=True)
        return _built(_mapping, self._all([part for pair in pairs for part in pair if part is not None]))

    def _unaryop(self, node: ast.UnaryOp) -> Thunk:
        apply, operand = _operation(UNARY, node.op, node), self.expression(node.operand)
        if type(operand) is _Known and type(operand.value) in (int, float):
            return _Known(apply(operand.value))
        return lambda call: apply(operand(call))

    def _binop(self, node: ast.BinOp) -> Thunk:
        apply = _operation(BINARY, node.op, node)
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda call: apply(left(call), right(call))

    def _boolop(self, node: ast.BoolOp) -> Thunk:
        parts, goes_on = self._all(node.values), isinstance(node.op, ast.And)

        def evaluate(call: Call) -> Any:
            value = None
            for part in parts:
                value = part(call)
                if bool(value) is not goes_on:
                    break
            return value

        return evaluate

    def _compare(self, node: ast.Compare) -> Thunk:
        first, rest = self.expression(node.left), self._all(node.comparators)
        tests = [_operation(COMPARE, op, node) for op in node.ops]
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.Is, ast.IsNot)) and not _is_singleton(right):
                raise NotLiteral(f"line {node.lineno}: `is` with other than None, True or False")

        def evaluate(call: Call) -> bool:
            left = first(call)
            for test, part in zip(tests, rest, strict=True):
                right = part(call)
                if not test(left, right):
                    return False
                left = right
            return True

        return evaluate

    def _call(self, node: ast.Call) -> Thunk:
        name = name_of(node.func)
        if _is_isclose(node.func):
            return self._pure(math.isclose, node)
        if name is None:
            raise NotLiteral(f"line {node.lineno}: a call of an expression")
        if name in PURE and name not in self._functions:
            return self._pure(PURE[name], node)
        return self._candidate(self._functions.get(name, name), node)

    def _candidate(self, name: str, node: ast.Call) -> Thunk:
        if self._is_inside_call:  # its result may be an object, which does not cross
            raise NotLiteral(f"line {node.lineno}: a call inside a call")
        self._is_inside_call = self.has_called = True
        arguments, keywords = self._arguments(node)
        self._is_inside_call = False
        return lambda call: call(name, *_evaluated(arguments, keywords, call))

    def _pure(self, function: Callable[..., Any], node: ast.Call) -> Thunk:
        arguments, keywords = self._arguments(node)

        def evaluate(call: Call) -> Any:
            positional, named = _evaluated(arguments, keywords, call)
            return function(*positional, **named)

        return evaluate

    def _arguments(self, node: ast.Call) -> tuple[list[Thunk], dict[str, Thunk]]:
        keywords = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise NotLiteral(f"line {node.lineno}: ** in a call")
            keywords[keyword.arg] = self.expression(keyword.value)
        return self._all(node.args), keywords


_METHODS: dict[type, Callable[[_Compiler, Any], Thunk]] = {
    ast.BinOp: _Compiler._binop,
    ast.BoolOp: _Compiler._boolop,
    ast.Call: _Compiler._call,
    ast.Compare: _Compiler._compare,
    ast.Constant: _Compiler._constant,
    ast.Dict: _Compiler._dict,
    ast.List: _Compiler._list,
    ast.Set: _Compiler._set,
    ast.Tuple: _Compiler._tuple,
    ast.UnaryOp: _Compiler._unaryop,
}


def _mapping(parts: list[Any]) -> dict[Any, Any]:
    """Keys and values in turn."""
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _evaluated(arguments: list[Thunk], keywords: dict[str, Thunk], call: Call) -> tuple[list[Any], dict[str, Any]]:
    return [part(call) for part in arguments], {name: part(call) for name, part in keywords.items()}


def _operation(table: dict[type, Callable[..., Any]], op: ast.AST, node: ast.expr) -> Callable[..., Any]:
    if type(op) not in table:
        raise NotLiteral(f"line {node.lineno}: {type(op).__name__}")
    return table[type(op)]


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or type(node.value) is bool)


def _is_isclose(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "isclose" and name_of(node.value) == "math"
