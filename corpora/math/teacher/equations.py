r"""Calculations in what a teacher writes: read, recomputed exactly, and made into the name of its reasoning.

An equation is a calculation in numbers alone and the number it is said to give, in plain text, in a GSM8K annotation or in
simple LaTeX: "6 \times 2.5 = 15", "$40 - 3*4 = $28", "<<48/2=24>>". What has words or letters in it is passed over. The name
is the set of equations, canonical and without order, as that of a seed's solution; so it does not tell two texts apart
that calculate the same. Linear in the text: at most 200 characters are looked at for each equals sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from corpora.math.annotations import NUMBER, Expression, Unusable, path_key, to_value

_WINDOW = 200
"""Characters on either side of an equals sign."""
_MAX_TEXT = 20_000
_CALCULATION = frozenset("0123456789.,+-*/() %$xX")
_FRACTION = re.compile(r"\\[dt]?frac\s?\{([^{}]{1,40})\}\s?\{([^{}]{1,40})\}")
_WORDS = {"\\times": "*", "\\cdot": "*", "\\div": "/", "\\left": "", "\\right": "", "\\$": "$", "\\%": "%", "\\,": ""}
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "–": "-", "−": "-", "\N{NO-BREAK SPACE}": " "})
_PERCENT = re.compile(r"(?<![\d.])(\d{1,20}(?:\.\d{1,20})?)%")
_TIMES = re.compile(r"(?<=[\d)]) ?[xX] ?(?=[\d(.])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_LIST_MARK = re.compile(r"\s*(?:\d{1,3}[.)]|[-*+])\s+(?=[\d($.])")
_ONWARD = re.compile(r"\s?[-+*/×÷%^:]")
_COMPARED = frozenset("=<>!~")


@dataclass(frozen=True)
class Equation:
    """A calculation, and what the text says that it gives; `said` is None where the text goes on instead."""

    expression: Expression
    value: Fraction
    said: Fraction | None
    decimals: int = 0
    """Of what is said."""

    @property
    def holds(self) -> bool:
        """Whether what is said is the value, or the value rounded to the decimals that are written."""
        if self.said is None or self.said == self.value:
            return True
        return self.decimals > 0 and abs(self.said - self.value) <= Fraction(1, 2 * 10**self.decimals)


def equations(text: str) -> Iterator[Equation]:
    r"""Yield the equations of a text.

    >>> [(str(e.value), e.holds) for e in equations(r"She has 3 x 4 = 12, then $12 - \frac{9}{2} = 7.4$ left.")]
    [('12', True), ('15/2', False)]
    """
    text = _plain(text[:_MAX_TEXT])
    position = text.find("=")
    while position >= 0:
        found = _equation(text, position)
        if found is not None:
            yield found
        position = text.find("=", position + 1)


def key(found: Iterable[Equation]) -> str:
    """Name a reasoning; empty where there is no equation.

    >>> key(equations("2 * 3 = 6 and 6 + 1 = 7")) == key(equations("First 3*2 = 6. So 1+6=7."))
    True
    """
    return path_key((equation.expression, equation.value) for equation in found)


def _plain(text: str) -> str:
    for word, sign in _WORDS.items():
        text = text.replace(word, sign)
    return _FRACTION.sub(r"((\1)/(\2))", text).translate(_SIGNS)


def _equation(text: str, position: int) -> Equation | None:
    if text[position - 1 : position] in _COMPARED or text[position + 1 : position + 2] == "=":
        return None
    try:
        expression = Expression.parse(_left(text, position))
        if len(expression.operands) < 2:
            return None
        value = expression.evaluate()
    except (Unusable, ValueError):
        return None
    return Equation(expression, value, *_right(text[position + 1 : position + _WINDOW]))


def _left(text: str, end: int) -> str:
    """Give the calculation that ends at a place, as `Expression` reads it."""
    start = end
    while start > 0 and end - start < _WINDOW and text[start - 1] in _CALCULATION:
        start -= 1
    run = text[start:end]
    is_line_start = start == 0 or text[start - 1] == "\n"
    if is_line_start and (mark := _LIST_MARK.match(run)):
        run = run[mark.end() :]
        is_line_start = False
    for stop in (", ", ". "):
        run = run.rpartition(stop)[2]
    run = run.replace("$", "").strip()
    if run.startswith(("+", "*", "/")) or (run.startswith("-") and not is_line_start):
        raise Unusable("a word stands before it")
    return _PERCENT.sub(r"(\1/100)", _TIMES.sub("*", _THOUSANDS.sub("", run)))


def _right(text: str) -> tuple[Fraction | None, int]:
    """Read the number after an equals sign, unless it is the beginning of a further calculation."""
    stripped = text.lstrip(" $")
    sign = -1 if stripped.startswith("-") else 1
    match = NUMBER.match(stripped.lstrip("-").lstrip(" $"))
    if match is None:
        return None, 0
    rest = match.string[match.end() :]
    if _ONWARD.match(rest) or (rest[:1] in "xX" and rest[1:2].isdigit()):
        return None, 0
    return sign * to_value(match.group()), len(match.group().partition(".")[2])
