"""What a sign does to the value before it: one row of `HANDLERS` a sign."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from sandbox.answers.precedence import MODULO, PRODUCT, RATIO, SETS, SUM
from sandbox.answers.tree import Node, negative, number
from sandbox.answers.units import measure

if TYPE_CHECKING:
    from sandbox.answers.grammar import Parser


def joined(kind: str, left: Node, right: Node) -> Node:
    """Make a sum or product of any number of parts, so that long ones are not deep."""
    return Node(kind, (*left.parts, right) if left.kind == kind else (left, right))


def _binary(kind: str, power: int) -> Callable[[Parser, Node], Node]:
    return lambda parser, left: Node(kind, (left, parser.expression(power)))


def _joined(kind: str, power: int) -> Callable[[Parser, Node], Node]:
    return lambda parser, left: joined(kind, left, parser.expression(power))


def _difference(parser: Parser, left: Node) -> Node:
    return joined("sum", left, negative(parser.expression(SUM)))


def _either(sign: str) -> Callable[[Parser, Node], Node]:
    def handle(parser: Parser, left: Node) -> Node:
        right = parser.expression(SUM)
        return Node("either", (joined("sum", left, right), joined("sum", left, negative(right))), sign)

    return handle


def _exponent(parser: Parser, left: Node) -> Node:
    return Node("power", (left, parser.argument()))


def _factorial(parser: Parser, left: Node) -> Node:
    return Node("call", (left,), "double factorial") if parser.accept("!") else Node("factorial", (left,))


def _degrees(parser: Parser, left: Node) -> Node:
    if parser.token.kind == "name" and parser.token.text in ("C", "F"):
        return Node("quantity", (left,), measure(["celsius" if parser.take().text == "C" else "fahrenheit"]))
    total = left
    for mark, parts in (("'", 60), ('"', 3600)):
        if parser.token.kind == "number" and parser.ahead().text == mark:
            total = joined("sum", total, number(parser.take().value / Fraction(parts)))
            parser.take()
    return Node("degrees", (total,))


def _modulo(parser: Parser, left: Node) -> Node:
    return Node("modulo", (left, parser.expression(MODULO)))


def _ratio(parser: Parser, left: Node) -> Node:
    right = parser.expression(RATIO)
    return Node("ratio", (*(left.parts if left.kind == "ratio" else (left,)), right))


HANDLERS: dict[str, Callable[[Parser, Node], Node]] = {
    "+": _joined("sum", SUM),
    "-": _difference,
    "±": _either("±"),
    "∓": _either("∓"),
    "*": _joined("product", PRODUCT),
    "/": _binary("quotient", PRODUCT),
    "∪": _binary("union", SETS),
    "∩": _binary("meet", SETS),
    "∖": _binary("without", SETS),
    "choose": lambda parser, left: Node("call", (left, parser.expression(PRODUCT)), "binom"),
    "mod": _modulo,
    ":": _ratio,
    "to": _ratio,
    "^": _exponent,
    "%": lambda _, left: Node("percent", (left,)),
    "°": _degrees,
    "!": _factorial,
}
