"""Plain calculations, "What is 347 + 58?", answered in one line: in a size that a small model can learn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from corpora.math.drills.drill import Drill

OPERATIONS = ("+", "-", "*", "/")
QUESTION = "What is {calculation}?"


@dataclass(frozen=True, kw_only=True)
class DrillGroup:
    """One sort of calculation, with the digits of its two numbers; a division's are those of its quotient and divisor."""

    operation: str
    left_digits: int
    right_digits: int
    weight: float = 1.0
    """Share of the rows, relative to the other groups and topics."""

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ValueError(f"DrillGroup.operation must be one of {' '.join(OPERATIONS)}, got {self.operation!r}")
        for name in ("left_digits", "right_digits"):
            if not 1 <= getattr(self, name) <= 9:
                raise ValueError(f"DrillGroup.{name} must be 1 to 9, got {getattr(self, name)}")
        if self.weight <= 0:
            raise ValueError(f"DrillGroup.weight must be above 0, got {self.weight}")

    @property
    def name(self) -> tuple[object, ...]:
        """What its random numbers are named by."""
        return (self.operation, self.left_digits, self.right_digits)

    def drill(self, rng: random.Random) -> Drill:
        """Draw one."""
        left, right, answer = self._draw(rng)
        calculation = f"{left} {self.operation} {right}"
        operands = sorted((left, right)) if self.operation in "+*" else [left, right]
        question = QUESTION.format(calculation=calculation)
        return Drill(question, (f"{calculation} = {answer}",), str(answer), (self.operation, *operands))

    def _draw(self, rng: random.Random) -> tuple[int, int, int]:
        """Draw two numbers: the larger first in a subtraction, the product first in a division."""
        left, right = _digits(self.left_digits, rng), _digits(self.right_digits, rng)
        if self.operation == "+":
            return left, right, left + right
        if self.operation == "-":
            left, right = max(left, right), min(left, right)
            return left, right, left - right
        if self.operation == "*":
            return left, right, left * right
        return left * right, right, left


def _digits(count: int, rng: random.Random) -> int:
    return rng.randint(max(2, 10 ** (count - 1)), 10**count - 1)


def _groups() -> Iterator[DrillGroup]:
    for operation, left, right, weight in (
        ("+", 2, 2, 3.0),
        ("+", 3, 2, 2.0),
        ("+", 3, 3, 2.0),
        ("-", 2, 2, 2.0),
        ("-", 3, 2, 2.0),
        ("-", 3, 3, 1.0),
        ("*", 1, 1, 0.5),
        ("*", 2, 1, 1.0),
        ("/", 2, 1, 0.5),
    ):
        yield DrillGroup(operation=operation, left_digits=left, right_digits=right, weight=weight)


GROUPS = tuple(_groups())
"""Mostly two- and three-digit addition and subtraction: a two-layer model learns two-digit addition in 45 CPU seconds,
addition with subtraction in twice that, multiplication of longer numbers not at all (ours, measured)."""
