"""Programs that a teacher writes: taken out of its reply, and named by their reasoning without being run.

A program of assignments and one print, over numbers and `+ - * / //`, is calculated here with exact rationals: that gives
its equations, as those of a solution in words, and its answer a second time. Any other program is named by its syntax
tree with its names numbered, so that renamed variables make no other reasoning. Nothing is evaluated by Python.
"""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
from dataclasses import dataclass
from fractions import Fraction

from corpora.math.annotations import Expression, Unusable, path_key

_FENCE = re.compile(r"```(?:python|py|python3)[ \t]*\r?\n")
_MAX_SOURCE = 4_000
_MAX_BITS = 4_096
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//"}
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Reasoning:
    """The name of what a program does, and what it prints where that can be calculated exactly."""

    key: str
    answer: Fraction | None = None


def source_of(reply: str) -> str | None:
    r"""Give the one program of a reply, between fences; None where there is none, or several.

    >>> source_of("Here:\n```python\nprint(4)\n```\n"), source_of("print(4)")
    ('print(4)', None)
    """
    begins = list(_FENCE.finditer(reply))
    if len(begins) != 1:
        return None
    source, fence, _ = reply[begins[0].end() :].partition("```")
    return source.strip("\r\n").rstrip() if fence and 0 < len(source.strip()) <= _MAX_SOURCE else None


def reasoning(source: str) -> Reasoning:
    r"""Read a program.

    >>> reasoning("eggs = 48 / 2\nprint(48 + eggs)") == reasoning("a = 48/2\nb = a + 48\nprint(b)")
    True
    """
    if len(source) > _MAX_SOURCE:
        return Reasoning(f"text:{_digest(source)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what a stranger wrote
            tree = ast.parse(source)
        try:
            return _calculate(tree)
        except Unusable:
            return Reasoning(f"tree:{_digest(_numbered(tree))}")
    except _UNREADABLE:
        return Reasoning(f"text:{_digest(source)}")


def _calculate(tree: ast.Module) -> Reasoning:
    names: dict[str, Fraction] = {}
    found: list[tuple[Expression, Fraction]] = []
    printed: Fraction | None = None
    for line in tree.body:
        if printed is not None:
            raise Unusable("something after the answer")
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names[name] = _value(value, names, found)
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value], keywords=[])) if "print" not in names:
                printed = _value(value, names, found)
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case _:
                raise Unusable("not a calculation")
    if printed is None:
        raise Unusable("nothing printed")
    return Reasoning(path_key(found), printed)


def _value(node: ast.expr, names: dict[str, Fraction], found: list[tuple[Expression, Fraction]]) -> Fraction:
    """Calculate an expression; one with more than one number in it is an equation."""
    operands: list[Fraction] = []
    postfix: list[int | str] = []
    _flatten(node, names, operands, postfix)
    expression = Expression("", tuple(operands), tuple(postfix))
    value = expression.evaluate()
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise Unusable("number too long")
    if len(operands) > 1:
        found.append((expression, value))
    return value


def _flatten(node: ast.expr, names: dict[str, Fraction], operands: list[Fraction], postfix: list[int | str]) -> None:
    match node:
        case ast.Constant(value=bool()):
            raise Unusable("not a number")
        case ast.Constant(value=int() | float() as number):
            _push(_fraction(number), operands, postfix)
        case ast.Name(id=name) if name in names:
            _push(names[name], operands, postfix)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _flatten(operand, names, operands, postfix)
            postfix.append("negate")
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            _flatten(left, names, operands, postfix)
            _flatten(right, names, operands, postfix)
            postfix.append(_SIGNS[type(sign)])
        case _:
            raise Unusable("not a calculation")


def _push(value: Fraction, operands: list[Fraction], postfix: list[int | str]) -> None:
    postfix.append(len(operands))
    operands.append(value)


def _fraction(number: float) -> Fraction:
    """Take a number as it is written: 0.1 is a tenth."""
    text = repr(number)
    if len(text) > _MAX_BITS // 4 or "e" in text or not text[-1].isdigit():
        raise Unusable("not a plain number")
    return Fraction(text)


def _numbered(tree: ast.Module) -> str:
    """Write the tree with the names that it assigns numbered in order."""
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    order: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in assigned:
            node.id = order.setdefault(node.id, f"v{len(order)}")
    return ast.dump(tree)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
