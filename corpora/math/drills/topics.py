"""Names of the topics that drills can be of, and how many rows of each are asked for."""

from __future__ import annotations

import random
from dataclasses import dataclass

from corpora.math.drills import arithmetic, school
from corpora.math.drills.drill import Drill, Generator

TOPICS: dict[str, Generator] = {**arithmetic.GROUPS, **school.TOPICS}
"""The sixteen groups of Math401, then algebra, fractions and units."""


@dataclass(frozen=True, kw_only=True)
class DrillTopic:
    """A topic and its share."""

    topic: str
    weight: float = 1.0
    """Share of the rows, relative to the other groups and topics."""

    def __post_init__(self) -> None:
        if self.topic not in TOPICS:
            raise ValueError(f"DrillTopic.topic must be one of {', '.join(TOPICS)}, got {self.topic!r}")
        if self.weight <= 0:
            raise ValueError(f"DrillTopic.weight must be above 0, got {self.weight}")

    @property
    def name(self) -> tuple[object, ...]:
        """What its random numbers are named by."""
        return (self.topic,)

    def drill(self, rng: random.Random) -> Drill:
        """Draw one."""
        return TOPICS[self.topic](rng)


ALL_TOPICS = tuple(DrillTopic(topic=name) for name in TOPICS)
