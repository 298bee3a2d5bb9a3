"""What a solution says in its prose: calculations that stand there in numbers alone, and what each is said to give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from corpora.math.annotations import NUMBER, Expression, Unusable, to_value

_SPOKEN = re.compile(
    r"(?:^|[a-wyz,.:;] |= ?)(\(*[$\d](?:[-–−+*/×()\d$,. ]|[xX](?= ?[\d$(.]))*[)\d]) ?= ?"
    rf"\$?({NUMBER.pattern})(?! ?[-–−+*/xX×÷(%:/])",
    re.MULTILINE,
)
"""A calculation and its result: nothing that goes on may stand before or after, but for another sign of equality."""
_PRINTED = re.compile(r"\$|(?<=\d),(?=\d{3})")
_SIGNS = str.maketrans("xX×÷–−", "***/--")


def spoken(prose: str) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield what each calculation in prose is said to give, and what it gives; those with words in them are passed over.

    >>> list(spoken("They cost 6 x 2.5 = $18, and 12 eggs x 3 = 36 eggs."))
    [(Fraction(18, 1), Fraction(15, 1))]
    >>> list(spoken("She gives 5+5*3=5+22=20."))
    [(Fraction(20, 1), Fraction(27, 1))]
    """
    for match in _SPOKEN.finditer(prose):
        try:
            calculation = Expression.parse(_PRINTED.sub("", match[1]).translate(_SIGNS))
            if len(calculation.operands) > 1:
                yield to_value(match[2]), calculation.evaluate()
        except Unusable:
            continue


def is_true(prose: str) -> bool:
    """Whether every calculation gives what it is said to give."""
    return all(given == value for given, value in spoken(prose))
