"""Other solutions of the seeds: sampled, and verified by the answer that is known.

After rejection-sampling fine-tuning (RFT, arXiv 2308.01825) and its filter: the answer is the seed's and every calculation
holds. Shown: that. Not shown: that the words between the calculations are right. Which solutions count as different
reasoning, and how many of a question are taken, is `choose`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.math.rows import Row
from corpora.math.teacher import labels
from corpora.math.teacher.asking import Made, Sampling, TaughtConfig, augment, solutions

if TYPE_CHECKING:
    from corpora.teacher import Teacher


_SOLUTIONS = Sampling(samples=8)


@dataclass(frozen=True, kw_only=True)
class AnswerConfig(TaughtConfig):
    """How many solutions are sampled."""

    solutions: Sampling = _SOLUTIONS
    """Of each seed; RFT takes 100, at which a 7B model still finds new reasoning."""


def augment_answer(out: Path, *, problems: Path, config: AnswerConfig, teacher: Teacher) -> dict[str, object]:
    """Sample solutions of every seed."""
    return augment(out, problems=problems, config=config, teacher=teacher, make=_make)


def _make(seeds: list[Row], config: AnswerConfig, teacher: Teacher) -> Made:
    questions, golds = [seed["question"] for seed in seeds], [seed["answer"] for seed in seeds]
    attempts = solutions(teacher, config.model, questions, config.solutions, golds)
    return Made(
        [
            one.row(labels.ANSWER, seed, seed["question"])
            for seed, group in zip(seeds, attempts, strict=True)
            for one in group
        ]
    )
