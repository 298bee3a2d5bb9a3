"""Arithmetic drills: "What is 347 + 58?", answered in one line, in a size that a small model can learn.

Whether a question is for training or held out is a function of the question and the seed (and the same for `a + b` and
`b + a`), so the two never share one, whatever the numbers asked for. Answers are exact integers. 50,000 rows a core second.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from corpora import records, shards
from corpora.math import rows
from corpora.math.annotations import ANSWER_MARK

OPERATIONS = ("+", "-", "*", "/")
QUESTION = "What is {calculation}?"
LICENSE = "Apache-2.0"
_TRIES_PER_ROW = 50


@dataclass(frozen=True, kw_only=True)
class DrillGroup:
    """One sort of calculation, with the digits of its two numbers; a division's are those of its quotient and divisor."""

    operation: str
    left_digits: int
    right_digits: int
    weight: float = 1.0
    """Share of the rows, relative to the other groups."""

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ValueError(f"DrillGroup.operation must be one of {' '.join(OPERATIONS)}, got {self.operation!r}")
        for name in ("left_digits", "right_digits"):
            if not 1 <= getattr(self, name) <= 9:
                raise ValueError(f"DrillGroup.{name} must be 1 to 9, got {getattr(self, name)}")
        if self.weight <= 0:
            raise ValueError(f"DrillGroup.weight must be above 0, got {self.weight}")


GROUPS = (
    DrillGroup(operation="+", left_digits=2, right_digits=2, weight=3),
    DrillGroup(operation="+", left_digits=3, right_digits=2, weight=2),
    DrillGroup(operation="+", left_digits=3, right_digits=3, weight=2),
    DrillGroup(operation="-", left_digits=2, right_digits=2, weight=2),
    DrillGroup(operation="-", left_digits=3, right_digits=2, weight=2),
    DrillGroup(operation="-", left_digits=3, right_digits=3, weight=1),
    DrillGroup(operation="*", left_digits=1, right_digits=1, weight=0.5),
    DrillGroup(operation="*", left_digits=2, right_digits=1, weight=1),
    DrillGroup(operation="/", left_digits=2, right_digits=1, weight=0.5),
)
"""Mostly two- and three-digit addition and subtraction: a two-layer model learns two-digit addition in 45 CPU seconds,
addition with subtraction in twice that, multiplication of longer numbers not at all (ours, measured)."""


@dataclass(frozen=True, kw_only=True)
class DrillsConfig:
    """How many drills, of which sorts."""

    train_rows: int = 8_000
    """Rows for training in all; a drill is about 30 tokens. Small groups give fewer."""
    heldout_rows: int = 500
    """Rows for evaluation in all: 500 give a 95% interval of at most 4.4 points to either side."""
    heldout_fraction: float = 0.1
    """Share of the questions that are never trained on."""
    groups: tuple[DrillGroup, ...] = GROUPS
    num_shards: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("train_rows", "heldout_rows", "num_shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"DrillsConfig.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.heldout_fraction < 1:
            raise ValueError(f"DrillsConfig.heldout_fraction must be between 0 and 1, got {self.heldout_fraction}")
        if not self.groups:
            raise ValueError("DrillsConfig.groups must name at least one group")


def augment_drills(out: Path, *, config: DrillsConfig) -> dict[str, object]:
    """Write drills for training to `kept/` and for evaluation to `heldout/`."""
    counts = {}
    for folder, is_heldout, total in (("kept", False, config.train_rows), ("heldout", True, config.heldout_rows)):
        made = [
            row
            for group, size in shares(config.groups, total)
            for row in drills(group, config, size, is_heldout=is_heldout)
        ]
        counts[folder] = len(made)
        for index, part in enumerate(rows.by_shard(made, config.num_shards)):
            path = out / folder / shards.shard_name(index, config.num_shards)
            if not path.exists():
                shards.write(path, sorted(part, key=lambda row: str(row["id"])), records.PROBLEM)
    return {**counts, "rejected": 0}


def shares(groups: Sequence[DrillGroup], total: int) -> list[tuple[DrillGroup, int]]:
    """Share out rows by weight; what rounding leaves goes to the first groups."""
    weight = sum(group.weight for group in groups)
    sizes = [int(total * group.weight / weight) for group in groups]
    rest = total - sum(sizes)
    return [(group, size + (number < rest)) for number, (group, size) in enumerate(zip(groups, sizes, strict=True))]


def drills(group: DrillGroup, config: DrillsConfig, size: int, *, is_heldout: bool) -> list[rows.Row]:
    """Make the distinct drills of a group for one side, at most `size`."""
    return list(islice(_drills(group, config, size, is_heldout=is_heldout), size))


def _drills(group: DrillGroup, config: DrillsConfig, size: int, *, is_heldout: bool) -> Iterator[rows.Row]:
    side = "heldout" if is_heldout else "train"
    rng = rows.rng(config.seed, side, group.operation, group.left_digits, group.right_digits)
    share = config.heldout_fraction if is_heldout else 1 - config.heldout_fraction
    seen = set()
    for _ in range(int(size * _TRIES_PER_ROW / share)):
        left, right, answer = _draw(group, rng)
        if (left, right) not in seen and is_held_out(left, group.operation, right, config) == is_heldout:
            seen.add((left, right))
            yield _row(f"{left} {group.operation} {right}", answer)


def is_held_out(left: int, operation: str, right: int, config: DrillsConfig) -> bool:
    """Decide the side of a question; both orders of + and * are on one side."""
    pair = sorted((left, right)) if operation in "+*" else [left, right]
    return int(rows.digest("side", config.seed, operation, *pair)[:12], 16) < config.heldout_fraction * 16**12


def _draw(group: DrillGroup, rng: random.Random) -> tuple[int, int, int]:
    """Draw two numbers: the larger first in a subtraction, the product first in a division."""
    left, right = _digits(group.left_digits, rng), _digits(group.right_digits, rng)
    if group.operation == "+":
        return left, right, left + right
    if group.operation == "-":
        left, right = max(left, right), min(left, right)
        return left, right, left - right
    if group.operation == "*":
        return left, right, left * right
    return left * right, right, left


def _digits(count: int, rng: random.Random) -> int:
    return rng.randint(max(2, 10 ** (count - 1)), 10**count - 1)


def _row(calculation: str, answer: int) -> rows.Row:
    question, solution = QUESTION.format(calculation=calculation), f"{calculation} = {answer}\n{ANSWER_MARK} {answer}"
    return rows.problem(rows.DRILL, question, solution, str(answer), source="drills", license=LICENSE)
