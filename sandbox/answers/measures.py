r"""The words after a value: units with their powers and quotients, `percent`, `degrees`, the ending of an ordinal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.answers.tree import Node, Unit, Unreadable, number
from sandbox.answers.units import CURRENCY, KNOWN, PERCENT_WORDS, SINGLE, measure, multiplied

if TYPE_CHECKING:
    from sandbox.answers.grammar import Parser


def measured(parser: Parser, left: Node) -> Node:
    """Read the words after a value: a unit, `percent`, `degrees`, the ending of an ordinal."""
    token = parser.token
    if token.text in ("st", "nd", "rd", "th") and not token.gap:
        parser.take()
        return left
    if token.text.lower() in PERCENT_WORDS:
        parser.take()
        return Node("percent", (left,))
    if token.text.lower() in ("degree", "degrees", "deg", "degs", "度") and parser.ahead().text not in (
        "Celsius",
        "Fahrenheit",
        "C",
        "F",
    ):
        parser.take()
        return left if left.kind == "degrees" else Node("degrees", (_with_minutes(parser, left),))
    unit = _unit(parser)
    if left.kind == "percent":
        return left
    return Node("quantity", (left,), unit) if left.kind != "quantity" else left


def _with_minutes(parser: Parser, left: Node) -> Node:
    """`30 degrees 15 minutes`."""
    for word, parts in (("minute", 60), ("second", 3600)):
        if parser.token.kind == "number" and parser.ahead().text in (word, f"{word}s"):
            left = Node("sum", (left, number(parser.take().value / parts)))
            parser.take()
    return left


def _unit(parser: Parser) -> Unit:
    unit = simple(parser)
    while parser.token.text in ("/", "per", "*") and (
        parser.ahead().kind in ("unit", "word") or parser.ahead().text in SINGLE
    ):
        power = 1 if parser.take().text == "*" else -1
        unit = multiplied(unit, simple(parser), power)
    return unit


def simple(parser: Parser) -> Unit:
    """Words, with the power that may follow them."""
    if parser.token.text in CURRENCY:
        return KNOWN[CURRENCY[parser.take().text]]
    words = [parser.take().text]
    if words[0] in ("square", "sq", "cubic", "cu") and parser.token.text in SINGLE:
        words.append(parser.take().text)
    while parser.token.kind in ("unit", "word") or (parser.token.text == "∈" and parser.ahead().kind == "word"):
        words.append(parser.take().text)
    if len(words) > 1 and words[-1] in ("squared", "cubed"):
        return measure(words[:-1], 2 if words.pop() == "squared" else 3)
    return measure(words, _unit_power(parser))


def _unit_power(parser: Parser) -> int:
    if not parser.accept("^"):
        return 1
    power = parser.argument()
    if power.kind != "number" or power.value.denominator != 1:
        raise Unreadable("the power of a unit")
    return int(power.value)
