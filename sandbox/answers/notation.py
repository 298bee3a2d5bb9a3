r"""What can stand where a value is expected: numbers, names, brackets, functions, signs.

Mixed numbers (`3 1/2`, `3\frac12`, Math23K's `3((1)/(2))`) are told from products
here, and `\frac34` takes its digits one by one as TeX does.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from sandbox.answers.measures import simple
from sandbox.answers.precedence import PRODUCT, SIGN, SUM
from sandbox.answers.scan import Token
from sandbox.answers.tree import Node, Unreadable, negative, number, word_set
from sandbox.answers.units import CURRENCY, KNOWN, multiplied

if TYPE_CHECKING:
    from sandbox.answers.grammar import Parser

GREEK = word_set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega Gamma Delta "
    "Theta Lambda Xi Sigma Phi Psi Omega ell hbar"
)
_INVERSES = {name: f"arc{name}" for name in ("sin", "cos", "tan", "cot", "sec", "csc")}
_SPELLED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "sgn": "sign"}
_THOUSANDS = {"k": 1000, "K": 1000, "M": 10**6}
_SEVERAL = frozenset({"gcd", "lcm", "min", "max"})


def _number(parser: Parser, token: Token) -> Node:
    part = _proper_fraction(parser) if token.value.denominator == 1 else None
    return number(token.value if part is None else token.value + part)


def _proper_fraction(parser: Parser) -> Fraction | None:
    """Read the fraction of a mixed number, if one follows."""
    token, start = parser.token, parser.place
    if token.text == "frac" and token.kind == "command":
        found = _plain_fraction(parser)
    elif token.kind == "number" and token.gap and parser.ahead().text == "/" and parser.ahead(2).kind == "number":
        found = token.value, parser.ahead(2).value, 3
        if not 0 < found[0] < found[1]:
            raise Unreadable("two numbers side by side")
    else:
        texts = [parser.ahead(distance).text for distance in range(9)]
        is_bracketed = (
            texts[:2] == ["(", "("] and texts[3:6] == [")", "/", "("] and texts[7:9] == [")", ")"] and not token.gap
        )
        found = (parser.ahead(2).value, parser.ahead(6).value, 9) if is_bracketed else None
    if found is None or found[0] is None or found[1] is None or not 0 < found[0] < found[1]:
        return None
    parser.place = start + found[2]
    return Fraction(found[0] / found[1])


def _plain_fraction(parser: Parser) -> tuple[Fraction, Fraction, int] | None:
    r"""Look at `\frac` of two numbers, without moving: they, and how many tokens they take."""
    values: list[Fraction] = []
    place = 1
    while len(values) < 2:
        token = parser.ahead(place)
        if token.text == "{" and parser.ahead(place + 1).kind == "number" and parser.ahead(place + 2).text == "}":
            values.append(parser.ahead(place + 1).value)
            place += 3
        elif token.kind == "number" and token.text.isdecimal() and len(token.text) == 2 and not values:
            values += [Fraction(int(digit)) for digit in token.text]
            place += 1
        elif token.kind == "number" and token.text.isdecimal() and len(token.text) == 1:
            values.append(token.value)
            place += 1
        else:
            return None
    return values[0], values[1], place


def tight(parser: Parser) -> Node:
    """Read an argument as TeX does: a group, a command, or one character."""
    token = parser.token
    if token.kind == "number" and len(token.text) > 1 and token.text.isdecimal():
        rest = token.text[1:]
        parser.tokens[parser.place] = Token("number", rest, False, Fraction(int(rest)))  # type: ignore[index]
        return number(int(token.text[0]))
    if token.kind == "number":
        return number(parser.take().value)
    if token.text == "{":
        parser.take()
        return _bracketed(parser, "{")
    return parser.operand()


def _name(parser: Parser, token: Token) -> Node:
    if token.text in ("e", "i") and parser.token.text != "_":
        return Node("constant", (), token.text)
    return indexed(parser, token.text)


def indexed(parser: Parser, name: str) -> Node:
    """A name with its index."""
    if parser.accept("_"):
        if parser.accept("{"):
            index = ""
            while not parser.accept("}"):
                index += parser.take().text
        else:
            index = parser.take().text
        name = f"{name}_{index}"
    return Node("name", (), name)


def _function(parser: Parser, token: Token) -> Node:
    name = _SPELLED.get(token.text, token.text)
    if name in ("sqrt", "cbrt"):
        return _root(parser, 2 if name == "sqrt" else 3)
    base = parser.index() if parser.accept("_") else None
    power = parser.argument() if parser.accept("^") else None
    if power == number(-1) and name in _INVERSES:
        name, power = _INVERSES[name], None
    if name in _SEVERAL:
        parser.need("(")
        inner = parser.items()
        parser.need(")")
        return Node("call", inner.parts if inner.kind == "list" else (inner,), name)
    inner = _function_argument(parser)
    call = _call(name, inner, base)
    return call if power is None else Node("power", (call, power))


def _call(name: str, inner: Node, base: Node | None) -> Node:
    if name == "lg":
        base, name = number(10), "log"
    if name == "exp":
        return Node("power", (Node("constant", (), "e"), inner))
    if name == "cis":
        turn = Node("product", (Node("constant", (), "i"), Node("call", (inner,), "sin")))
        return Node("sum", (Node("call", (inner,), "cos"), turn))
    if name == "det":
        return Node("determinant", (inner,))
    return Node("call", (inner,) if base is None else (inner, base), name)


def _function_argument(parser: Parser) -> Node:
    """A bracket, or the factors that follow up to the next function: `sin 2x cos x` has two functions."""
    if parser.token.text in ("(", "{", "["):
        return parser.operand()
    node = parser.expression(SIGN)
    while parser.token.kind in ("name", "constant") or parser.token.text in GREEK or parser.token.text == "frac":
        node = Node("product", (node, parser.expression(PRODUCT)))
    return node


def _root(parser: Parser, degree: int) -> Node:
    order = number(degree)
    if parser.accept("["):
        order = parser.expression(0)
        parser.need("]")
    inner = parser.operand()
    return Node("root", (inner, order))


def _bracket(parser: Parser, token: Token) -> Node:
    return _bracketed(parser, token.text)


def _bracketed(parser: Parser, opening: str) -> Node:
    """Read up to the closing bracket: a group, a tuple, an interval or a set."""
    closings = {"(": ")]", "[": ")]", "⦃": "⦄", "⟨": "⟩", "{": "}"}[opening]
    if parser.token.text in closings and opening in "{⦃":
        parser.take()
        return Node("empty")
    bars, conditions, parser.bars = parser.bars, parser.conditions, 0
    parser.conditions = int(opening in "⦃{")
    inner = parser.items()
    if parser.conditions and parser.token.text in ("|", ":"):
        parser.take()
        parser.conditions = 0
        inner = Node("such", (inner, parser.items()))
    parser.bars, parser.conditions = bars, conditions
    closing = parser.take().text
    if closing not in closings:
        raise Unreadable(f"{opening!r} is not closed")
    if opening == "⦃" or (opening == "{" and inner.kind in ("list", "such")):
        return inner if inner.kind == "such" else Node("set", inner.parts if inner.kind == "list" else (inner,))
    if (
        inner.kind == "list"
        and inner.value == ";"
        and opening == "["
        and len({len(row.parts) for row in inner.parts}) == 1
    ):
        return Node("matrix", tuple(Node("row", row.parts) for row in inner.parts))
    if inner.kind == "list" and (inner.value == "," or opening != "("):
        return Node("tuple", inner.parts, {"⟨": "()"}.get(opening, opening + closing))
    if {"(": ")", "[": "]"}.get(opening, closing) != closing:
        raise Unreadable("brackets that do not match")
    return Node("tuple", (inner,), "()") if opening == "⟨" else inner


def _bars(parser: Parser, _: Token) -> Node:
    parser.bars += 1
    inner = parser.items()
    parser.need("|")
    parser.bars -= 1
    return Node(
        "determinant" if inner.kind == "matrix" else "call", (inner,), None if inner.kind == "matrix" else "abs"
    )


def _minus(parser: Parser, _: Token) -> Node:
    return negative(parser.expression(SIGN))


def _either(parser: Parser, token: Token) -> Node:
    inner = parser.expression(SUM)
    return Node("either", (inner, negative(inner)), token.text)


def _currency(parser: Parser, token: Token) -> Node:
    inner, unit = parser.expression(SIGN), KNOWN[CURRENCY[token.text]]
    if parser.token.text in _THOUSANDS and not parser.token.gap:
        inner = Node("product", (inner, number(_THOUSANDS[parser.take().text])))
    while parser.token.text in ("/", "per") and parser.ahead().kind in ("unit", "word"):
        parser.take()
        unit = multiplied(unit, simple(parser), -1)
    return Node("quantity", (inner,), unit)


def _sign(parser: Parser, token: Token) -> Node:
    reader = _SIGNS.get(token.text)
    if reader is None:
        raise Unreadable(f"{token.text!r} stands where a value should")
    return reader(parser, token)


def _constant(name: str) -> Callable[[Parser, Token], Node]:
    return lambda _, __: Node("constant", (), name)


_SIGNS: dict[str, Callable[[Parser, Token], Node]] = {
    **dict.fromkeys("([{⦃⟨", _bracket),
    **dict.fromkeys("±∓", _either),
    **dict.fromkeys(CURRENCY, _currency),
    "|": _bars,
    "-": _minus,
    "+": lambda parser, _: parser.expression(SIGN),
    "∞": _constant("infinity"),
    "∅": lambda _, __: Node("empty"),
    "ℝ": lambda _, __: Node("reals"),
    "…": lambda _, __: Node("more"),
}
READERS: dict[str, Callable[[Parser, Token], Node]] = {
    "number": _number,
    "name": _name,
    "constant": lambda _, token: Node("constant", (), token.text),
    "function": _function,
    "sign": _sign,
    "based": lambda _, token: Node("based", (), token.value),
}
