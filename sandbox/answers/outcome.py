"""What a rule says, and what all rules of one comparison share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from sandbox.answers.tree import Node
from sandbox.answers.verdict import Equality


class Outcome(NamedTuple):
    """What a rule found."""

    equality: Equality
    rule: str

    @property
    def is_equal(self) -> bool:
        """Whether it found them equal."""
        return self.equality is Equality.EQUAL


EQUAL = partial(Outcome, Equality.EQUAL)
DIFFERENT = partial(Outcome, Equality.DIFFERENT)
UNDECIDED = partial(Outcome, Equality.UNDECIDED)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the caller allows and the question asks for."""

    tolerance: Fraction = Fraction(0)
    asks_percent: bool = False
    base: int | None = None
    referee: Callable[[Node, Node], Outcome] | None = None
    rule: Callable[[Node, Node, Settings], Outcome]
    """How two forms are compared; rules for structures use it for their parts."""

    def same(self, left: Node, right: Node) -> Outcome:
        """Compare two parts."""
        return self.rule(left, right, self)
