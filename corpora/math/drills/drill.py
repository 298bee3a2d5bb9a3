"""One exercise of a topic, and how its numbers are written."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from corpora.math.annotations import ANSWER_MARK

PLACES = 4
"""Decimals of an answer that is not exact: those of Math401."""


@dataclass(frozen=True)
class Drill:
    """A question with its worked answer; `key` is equal for questions that are one exercise."""

    question: str
    lines: tuple[str, ...]
    answer: str
    key: tuple[object, ...]

    @property
    def solution(self) -> str:
        """The lines, and the answer after its mark."""
        return "\n".join((*self.lines, f"{ANSWER_MARK} {self.answer}"))


Generator = Callable[[random.Random], Drill]


def decimal(value: Fraction, places: int = PLACES) -> str:
    """Write a number with so many decimals at most, halves to even, without zeros at the end.

    >>> decimal(Fraction(2, 3)), decimal(Fraction(-5, 2)), decimal(Fraction(-1, 10**9))
    ('0.6667', '-2.5', '0')
    """
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    digits = f"{part:0{places}d}".rstrip("0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def is_short(value: Fraction, places: int = PLACES) -> bool:
    """Whether so many decimals write a number exactly."""
    return (value * Fraction(10**places)).denominator == 1


def closed(text: str) -> str:
    """Put a negative number into parentheses, to stand behind a sign."""
    return f"({text})" if text.startswith("-") else text
