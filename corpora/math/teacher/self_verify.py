"""A seed asked backward by a teacher: one number hidden, the answer told, the number asked for, and found again.

After self-verification (arXiv 2212.09561) and its use as data in MetaMath (arXiv 2309.12284): the teacher restates masked
question and answer as one problem, and its solutions of that must give back the number that was masked, which is known.
Shown: that the restated problem leads to it, and so that question and answer of the seed fit together for this teacher.
Not shown: that no other number would do as well; `backward` shows that, for the problems it can read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.math import rows
from corpora.math.annotations import NUMBER, Unusable, to_value
from corpora.math.rows import Row
from corpora.math.teacher import labels, prompts, questions
from corpora.math.teacher.asking import Attempt, Made, Sampling, TaughtConfig, augment
from corpora.math.teacher.questions import Asked
from corpora.math.teacher.rephrase import solve

if TYPE_CHECKING:
    from corpora.teacher import Message, Teacher

UNKNOWN = "X"
_UNKNOWN = re.compile(r"(?<![\w])[Xx](?!\w)")
_GLUED_AFTER = re.compile(r"[:/]\d|\s\d+/\d|-?[A-Za-z]|\s?[ap]\.?m\b")


_REWRITES = Sampling(samples=1, max_reply_tokens=512)
_SOLUTIONS = Sampling(samples=4)


@dataclass(frozen=True, kw_only=True)
class SelfVerifyConfig(TaughtConfig):
    """How many numbers of a question are hidden in turn, and how well each must be found again."""

    masks: int = 1
    """Numbers of a seed, each a problem of its own."""
    rewrites: Sampling = _REWRITES
    """Of each masked question."""
    solutions: Sampling = _SOLUTIONS
    min_agreeing: int = 2
    """Solutions that must find the number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.masks < 1:
            raise ValueError(f"SelfVerifyConfig.masks must be at least 1, got {self.masks}")
        if not 1 <= self.min_agreeing <= self.solutions.samples:
            raise ValueError(
                f"SelfVerifyConfig.min_agreeing must be 1 to {self.solutions.samples} (solutions.samples), "
                f"got {self.min_agreeing}"
            )


@dataclass(frozen=True)
class Mask:
    """A question with one number hidden."""

    question: str
    number: Fraction
    text: str
    """The number as it was written."""


def augment_self_verify(out: Path, *, problems: Path, config: SelfVerifyConfig, teacher: Teacher) -> dict[str, object]:
    """Ask every seed backward."""
    return augment(out, problems=problems, config=config, teacher=teacher, make=_make)


def _make(seeds: list[Row], config: SelfVerifyConfig, teacher: Teacher) -> Made:
    made = Made()
    masked: list[tuple[Row, Mask]] = []
    for seed in seeds:
        try:
            masked += [(seed, mask) for mask in masks(seed, config)]
        except Unusable as reason:
            made.rejected.append(rows.rejection(seed, str(reason)))
    tasks: list[tuple[Row, tuple[Message, ...]]] = [
        (seed, prompts.ask(prompts.RESTATE.format(answer=seed["answer"]), mask.question)) for seed, mask in masked
    ]
    asked = questions.make(teacher, config.model, tasks, config.rewrites)
    each = [mask for _, mask in masked for _ in range(config.rewrites.samples)]
    asked = [_checked(one, mask) for one, mask in zip(asked, each, strict=True)]
    solved = solve(labels.SELF_VERIFY, asked, config.model, config.solutions, config.min_agreeing, teacher)
    made.kept.extend(
        {**row, "evidence": row["evidence"].replace("known answer", "masked number found", 1)} for row in solved
    )
    return made


def masks(seed: Row, config: SelfVerifyConfig) -> list[Mask]:
    """Choose the numbers to hide: at least 2, written in digits and standing alone, and there but once.

    >>> config = SelfVerifyConfig(model="m")
    >>> masks({"id": "a", "question": "Tom has 2 bags of 12 nuts. How many?", "answer": "24"}, config)[0].question
    'Tom has X bags of 12 nuts. How many?'
    """
    question = seed["question"]
    if _UNKNOWN.search(question):
        raise Unusable("an X in the question")
    known = questions.numbers(seed["answer"])
    if sum(known.values()) != 1:
        raise Unusable("answer is not one number")
    counts = questions.numbers(question)
    found = [m for m in NUMBER.finditer(question) if _stands_alone(question, m) and counts[to_value(m.group())] == 1]
    if not found:
        raise Unusable("no number to hide")
    found.sort(key=lambda match: rows.digest(config.seed, seed["id"], match.start()))
    return [
        Mask(f"{question[: m.start()]}{UNKNOWN}{question[m.end() :]}", to_value(m.group()), m.group())
        for m in found[: config.masks]
    ]


def _stands_alone(question: str, match: re.Match[str]) -> bool:
    before, after = question[max(0, match.start() - 1) : match.start()], question[match.end() : match.end() + 10]
    return to_value(match.group()) >= 2 and before not in (":", "/", "-") and not _GLUED_AFTER.match(after)


def _checked(asked: Asked, mask: Mask) -> Asked:
    """Hold a restated problem against the masked one: X in it, the other numbers, and the answer as one more."""
    asked = replace(asked, gold=mask.text.replace(",", ""))
    if asked.failed:
        return asked
    wanted = questions.numbers(mask.question) + questions.numbers(asked.seed["answer"])
    if not _UNKNOWN.search(asked.question):
        return replace(asked, failed=Attempt("", labels.UNREAD, "no X in it"))
    if questions.numbers(asked.question) != wanted:
        return replace(asked, failed=Attempt("", labels.CHANGED, "numbers are not those of the seed and its answer"))
    return asked
