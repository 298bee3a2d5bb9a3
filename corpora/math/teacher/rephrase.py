"""The seeds in other words: a teacher rewrites the question, and solves what it wrote.

A rewriting is verified when it has the numbers of its seed and enough solutions of it reach the seed's answer; its rows are
those solutions. With no solutions asked for, the same numbers are the only evidence, the solution is the seed's, and the
verdict says so. Shown: with solutions, that the question as written has the answer (for a reader like the teacher). Not
shown: that the words are good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.math.rows import VERIFIED, Row
from corpora.math.teacher import labels, prompts, questions
from corpora.math.teacher.asking import Attempt, Made, Sampling, TaughtConfig, augment, solutions
from corpora.math.teacher.questions import Asked

if TYPE_CHECKING:
    from corpora.teacher import Teacher


_REWRITES = Sampling(samples=2, max_reply_tokens=512)
_SOLUTIONS = Sampling(samples=4)


@dataclass(frozen=True, kw_only=True)
class RephraseConfig(TaughtConfig):
    """How often a question is rewritten, and how well that must be confirmed."""

    rewrites: Sampling = _REWRITES
    solutions: Sampling | None = _SOLUTIONS
    """Of each rewriting; None asks for no confirmation."""
    min_agreeing: int = 2
    """Solutions that must reach the seed's answer; ours: one may do so by luck."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solutions and not 1 <= self.min_agreeing <= self.solutions.samples:
            raise ValueError(
                f"RephraseConfig.min_agreeing must be 1 to {self.solutions.samples} (solutions.samples), "
                f"got {self.min_agreeing}"
            )


def augment_rephrase(out: Path, *, problems: Path, config: RephraseConfig, teacher: Teacher) -> dict[str, object]:
    """Rewrite every seed."""
    return augment(out, problems=problems, config=config, teacher=teacher, make=_make)


def _make(seeds: list[Row], config: RephraseConfig, teacher: Teacher) -> Made:
    tasks = [(seed, prompts.ask(prompts.REPHRASE, seed["question"])) for seed in seeds]
    asked = [_same_numbers(one) for one in questions.make(teacher, config.model, tasks, config.rewrites)]
    if config.solutions is None:
        return Made([_unsolved(one).row(labels.REPHRASE, one.seed, one.question) for one in asked])
    return Made(list(solve(labels.REPHRASE, asked, config.model, config.solutions, config.min_agreeing, teacher)))


def _same_numbers(asked: Asked) -> Asked:
    asked = replace(asked, gold=asked.seed["answer"])
    if asked.failed or questions.numbers(asked.question) == questions.numbers(asked.seed["question"]):
        return asked
    return replace(asked, failed=Attempt("", labels.CHANGED, "numbers are not the seed's"))


def _unsolved(asked: Asked) -> Attempt:
    seed = asked.seed
    return asked.failed or Attempt(
        seed["solution"], labels.CHECKED, "same numbers, not solved", seed["answer"], seed["path_key"]
    )


def solve(
    kind: str, asked: Sequence[Asked], model: str, sampling: Sampling, least: int, teacher: Teacher
) -> Iterator[Row]:
    """Have the good questions solved, and give the rows of all; fewer than `least` right solutions make them undecided."""
    good = [one for one in asked if one.failed is None]
    texts, golds = [one.question for one in good], [one.gold for one in good]
    groups = iter(solutions(teacher, model, texts, sampling, golds))
    for one in asked:
        attempts = confirmed(next(groups), least) if one.failed is None else [one.failed]
        for found in attempts:
            yield found.row(kind, one.seed, one.question)


def confirmed(attempts: Sequence[Attempt], least: int) -> list[Attempt]:
    """Say on every right solution how many there are; fewer than `least` confirm nothing."""
    right = sum(one.verdict == VERIFIED for one in attempts)
    share = f"by {right} of {len(attempts)} solutions"
    verdict = VERIFIED if right >= least else labels.UNDECIDED
    return [
        replace(one, verdict=verdict, evidence=f"same numbers, {one.evidence}, {share}")
        if one.verdict == VERIFIED
        else one
        for one in attempts
    ]
