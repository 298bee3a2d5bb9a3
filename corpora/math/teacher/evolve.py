"""Harder problems made from the seeds: nobody knows their answers, so agreement of samples is the only evidence.

The most frequent answer of k solutions is taken where its share is large enough, and every row says `agreed`, with how many
of how many: never `verified`. A teacher that makes the same mistake k times is not found out. After WizardMath's upward
evolution (arXiv 2308.09583) and self-consistency (arXiv 2203.11171).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.math.rows import VERIFIED, Row
from corpora.math.teacher import labels, prompts, questions
from corpora.math.teacher.asking import Attempt, Made, Sampling, TaughtConfig, against, augment, solutions

if TYPE_CHECKING:
    from corpora.teacher import Teacher


_REWRITES = Sampling(samples=1, max_reply_tokens=512)
_SOLUTIONS = Sampling(samples=5)


@dataclass(frozen=True, kw_only=True)
class EvolveConfig(TaughtConfig):
    """How many harder problems, and how much agreement."""

    rewrites: Sampling = _REWRITES
    solutions: Sampling = _SOLUTIONS
    min_share: float = 0.6
    """Of all solutions that were asked for, those that are cut off or wrong in a calculation too; ours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solutions.samples < 2:
            raise ValueError(
                f"EvolveConfig.solutions.samples must be at least 2: agreement is the only evidence, "
                f"got {self.solutions.samples}"
            )
        if not 0.5 < self.min_share <= 1:
            raise ValueError(f"EvolveConfig.min_share must be above 0.5 and at most 1, got {self.min_share}")


def augment_evolve(out: Path, *, problems: Path, config: EvolveConfig, teacher: Teacher) -> dict[str, object]:
    """Make harder problems from every seed."""
    return augment(out, problems=problems, config=config, teacher=teacher, make=_make)


def _make(seeds: list[Row], config: EvolveConfig, teacher: Teacher) -> Made:
    tasks = [(seed, prompts.ask(prompts.EVOLVE, seed["question"])) for seed in seeds]
    asked = questions.make(teacher, config.model, tasks, config.rewrites)
    texts = [one.question for one in asked if one.failed is None]
    groups = iter(solutions(teacher, config.model, texts, config.solutions, [None] * len(texts)))
    made = []
    for one in asked:
        attempts = [one.failed] if one.failed is not None else agreement(next(groups), config.min_share)
        made += [found.row(labels.EVOLVE, one.seed, one.question) for found in attempts]
    return Made(made)


def agreement(attempts: Sequence[Attempt], min_share: float) -> list[Attempt]:
    """Let the sound solutions vote; those of the winning answer agree and get its spelling, the others are outvoted."""
    camps: list[list[int]] = []
    for number, one in enumerate(attempts):
        if one.verdict == labels.UNDECIDED:
            camp = next((camp for camp in camps if _same(attempts[camp[0]].answer, one.answer)), None)
            if camp is None:
                camps.append([number])
            else:
                camp.append(number)
    largest = max(camps, key=len, default=[])
    share = f"agreement alone: {len(largest)} of {len(attempts)} solutions"
    has_won = len(largest) >= min_share * len(attempts)
    labelled = []
    for number, one in enumerate(attempts):
        if one.verdict != labels.UNDECIDED:
            labelled.append(one)
        elif not has_won:
            labelled.append(replace(one, evidence=f"too little {share}, {one.evidence}"))
        elif number in largest:
            answer = attempts[largest[0]].answer
            labelled.append(replace(one, verdict=labels.AGREED, evidence=f"{share}, {one.evidence}", answer=answer))
        else:
            labelled.append(replace(one, verdict=labels.OUTVOTED, evidence=f"against {share}, {one.evidence}"))
    return labelled


def _same(left: str, right: str) -> bool:
    return against(left, right)[0] == VERIFIED
