"""What is known about two answers, and why: three values, the rule that decided, both forms as they were read."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sandbox.answers.tree import Node, show


class Equality(enum.Enum):
    """What is known about two answers."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """What was found, the rule that found it, and what each text was read as (None when it could not be read)."""

    equality: Equality
    rule: str
    gold: Node | None = None
    predicted: Node | None = None

    @property
    def is_equal(self) -> bool:
        """Whether the answers were shown to be equal; undecided is not."""
        return self.equality is Equality.EQUAL

    @property
    def evidence(self) -> str:
        """The rule and both forms, on one line."""
        forms = [show(form) if form else "unread" for form in (self.gold, self.predicted)]
        return f"{self.rule}: {forms[0]} ~ {forms[1]}"
