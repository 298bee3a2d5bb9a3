"""Exact value of an arithmetic expression: rationals only, by recursive descent, never by eval.

Bounded in length, depth and bits, so `9**9**9` is refused at once. Multiplication by juxtaposition is refused too: `3(1/4)`
is 3/4 to one writer and a mixed number to another.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

MAX_LENGTH = 2_000  # characters
_MAX_DEPTH = 50  # nested parentheses, roots and signs
_MAX_BITS = 20_000  # of numerator and denominator together
_MAX_EXPONENT = 5_000  # of scientific notation

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.\d+|\.\d+|\d+\.?)(?:[eE][+-]?\d{1,6})?)|(?P<command>\\(?:frac|sqrt|overline))|(?P<sign>[-+*/^%(){}])"
)
_SPACE = re.compile(r"\s*")


class Unreadable(ValueError):
    """The text is not an expression with a rational value, or is too large."""


def evaluate(text: str) -> Fraction:
    r"""Give the value of an expression.

    >>> evaluate("-2^2 + 3 1/2"), evaluate(r"\frac{3}{4}"), evaluate("25%"), evaluate(r"0.\overline{3}")
    (Fraction(-1, 2), Fraction(3, 4), Fraction(1, 4), Fraction(1, 3))
    """
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text))
    value = parser.sum()
    parser.end()
    return value


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], _skip(text, 0)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Unreadable(f"{text[position]!r} is not arithmetic")
        found.append((str(match.lastgroup), match.group()))
        position = _skip(text, match.end())
    return found


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


class _Parser:
    """sum = product {+ product}; product = signed {* signed}; signed = - signed | power; power = atom [^ signed] {%}."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def end(self) -> None:
        if self._position < len(self._tokens):
            raise Unreadable(f"{self._peek()!r} is left over")

    def sum(self) -> Fraction:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("nested too deeply")
        value = self._product()
        while self._peek() in ("+", "-"):
            value = _checked(value + self._product() if self._next() == "+" else value - self._product())
        self._depth -= 1
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while self._peek() in ("*", "/"):
            value = _checked(value * self._signed()) if self._next() == "*" else _divide(value, self._signed())
        return value

    def _signed(self) -> Fraction:
        negative = False
        while self._peek() in ("+", "-"):
            negative ^= self._next() == "-"
        value = self._power()
        return -value if negative else value

    def _power(self) -> Fraction:
        value = self._atom()
        if self._peek() == "^":
            self._next()
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise Unreadable("nested too deeply")
            value = _power(value, self._signed())
            self._depth -= 1
        while self._peek() == "%":
            self._next()
            value = _checked(value / 100)
        return value

    def _atom(self) -> Fraction:
        kind, text = self._kind(), self._next()
        if kind == "number":
            return self._number(text)
        if text == r"\frac":
            return _divide(self._braced(), self._braced())
        if text == r"\sqrt":
            return _root(self._braced())
        if text in ("(", "{"):
            value = self.sum()
            self._need(")" if text == "(" else "}")
            return value
        raise Unreadable(f"{text!r} stands where a number should")

    def _number(self, text: str) -> Fraction:
        """A number, with what may follow it: the fraction of a mixed number, or repeating decimals."""
        exponent = re.split("[eE]", text)[1:]
        if exponent and abs(int(exponent[0])) > _MAX_EXPONENT:
            raise Unreadable("exponent too large")
        value = Fraction(text.rstrip("."))
        if self._peek() == r"\overline" and "." in text and not exponent:
            self._next()
            return value + self._repeating(len(text.partition(".")[2]))
        if not text.isdigit():
            return value
        start = self._position
        part = self._proper_fraction()
        if part is None:
            self._position = start
            return value
        return value + part

    def _repeating(self, decimals: int) -> Fraction:
        self._need("{")
        digits = self._next()
        self._need("}")
        if not digits.isdigit():
            raise Unreadable("the repeating part is not digits")
        return Fraction(int(digits), (10 ** len(digits) - 1) * 10**decimals)

    def _proper_fraction(self) -> Fraction | None:
        r"""Read `3/4` or `\frac{3}{4}` after a whole number; None when nothing of the kind follows."""
        if self._peek() == r"\frac":
            self._next()
            above, below = self._braced(), self._braced()
        elif self._kind() == "number":
            above = self._whole()
            self._need("/")
            below = self._whole()
        else:
            return None
        if not (0 <= above < below and above.denominator == below.denominator == 1):
            raise Unreadable("two numbers side by side")
        return above / below

    def _whole(self) -> Fraction:
        text = self._next()
        if not text.isdigit():
            raise Unreadable("two numbers side by side")
        return Fraction(int(text))

    def _braced(self) -> Fraction:
        opening = self._next()
        if opening not in ("{", "("):
            raise Unreadable("a command lacks its braces")
        value = self.sum()
        self._need("}" if opening == "{" else ")")
        return value

    def _peek(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else ""

    def _kind(self) -> str:
        return self._tokens[self._position][0] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        text = self._peek()
        if not text:
            raise Unreadable("it ends too early")
        self._position += 1
        return text

    def _need(self, wanted: str) -> None:
        if self._next() != wanted:
            raise Unreadable(f"{wanted!r} is missing")


def _checked(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MAX_BITS:
        raise Unreadable(f"larger than {_MAX_BITS} bits")
    return value


def _divide(value: Fraction, by: Fraction) -> Fraction:
    if by == 0:
        raise Unreadable("division by zero")
    return _checked(value / by)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or (base == 0 and exponent <= 0):
        raise Unreadable("a power without a rational value")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and abs(exponent) * bits > _MAX_BITS:
        raise Unreadable(f"larger than {_MAX_BITS} bits")
    if bits == 1:  # 0, 1 and -1 keep their size: only parity matters
        return base ** (int(exponent) % 2) if base else base
    return base ** int(exponent)


def _root(value: Fraction) -> Fraction:
    if value < 0:
        raise Unreadable("the root of a negative number")
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if above * above != value.numerator or below * below != value.denominator:
        raise Unreadable("an irrational root")
    return Fraction(above, below)
