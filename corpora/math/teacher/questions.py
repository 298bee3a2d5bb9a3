"""New questions from a teacher: asked for, read, and held against the seed.

A number counts as digits or as a word from two to a hundred; "one" and words such as "twice" or "week" do not, for they are
no numbers as often as they are. So "same numbers" finds a number that was dropped, added or changed, and does not find a
relation that was turned around: only solutions show that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from corpora.math.annotations import NUMBER, to_value
from corpora.math.rows import Row
from corpora.math.teacher import labels, prompts
from corpora.math.teacher.asking import Attempt, Sampling, replies, whole

if TYPE_CHECKING:
    from corpora.teacher import Message, Teacher

_UNITS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
_WORDS = {
    **{word: Fraction(value) for value, word in enumerate(_UNITS, start=2)},
    **{word: Fraction(10 * value) for value, word in enumerate(_TENS, start=2)},
}
_WORD = re.compile(r"\b(?:" + "|".join(_WORDS) + r")\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Asked:
    """A question made from a seed: good where `failed` is None, else the sample with its label."""

    seed: Row
    question: str
    failed: Attempt | None = None
    gold: str | None = None
    """Its answer, where that is known."""


def numbers(text: str) -> Counter[Fraction]:
    """Count the numbers of a text.

    >>> numbers("Three cats, 1,200 dogs and 3 birds") == {3: 2, 1200: 1}
    True
    """
    digits = [to_value(match.group()) for match in NUMBER.finditer(text)]
    return Counter([*digits, *(_WORDS[match.group().lower()] for match in _WORD.finditer(text))])


def normal(text: str) -> str:
    """Reduce a text to its words and numbers: what is equal then is the same question."""
    return " ".join(_LETTERS.findall(text.lower()))


def make(
    teacher: Teacher, model: str, seeds: Sequence[tuple[Row, tuple[Message, ...]]], sampling: Sampling
) -> list[Asked]:
    """Ask for new questions; those that are unread, or copies of the seed or of one another, are labelled."""
    groups = replies(teacher, model, [messages for _, messages in seeds], sampling)
    made = []
    for (seed, _), group in zip(seeds, groups, strict=True):
        seen = {normal(seed["question"])}
        for reply in group:
            question = prompts.read_problem(reply.text)
            failure = whole(reply) or (labels.UNREAD if question is None else None)
            if question is None or failure is not None:
                failed = Attempt("", failure or labels.UNREAD, f"no new question; finished by {reply.finish}")
                made.append(Asked(seed, reply.text.strip(), failed))
                continue
            words = normal(question)
            made.append(Asked(seed, question, Attempt("", labels.COPIED, "same words") if words in seen else None))
            seen.add(words)
    return made
