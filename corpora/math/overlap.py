"""Whether a question is a benchmark's question, in other words or with other numbers.

A run of words that both have proposes, the longest common subsequence (LCS) decides: above 0.6 of the longer question
(Qwen2.5-Math), or nine tenths of the benchmark's, whatever stands around it. Questions too short for a run are found by all
their words, be they the whole text or inside of it, arithmetic by its canonical form. The rules: `rules_of`. What they find
of copies that were changed: docs/math_data.md. One question a rule and benchmark is told, so that MATH-500 is counted beside
MATH.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.benchmarks import BenchmarkProblem
from corpora.kernels import text_buffer
from corpora.math import kernels, tables
from corpora.math.expressions import LONGEST, canonical_expression
from corpora.math.questions import fold, place
from corpora.math.tables import Hashes, Ints

if TYPE_CHECKING:
    from corpora.math.decontaminate import DecontaminateMathConfig

CONTAMINATED, TEMPLATE = "contaminated", "template"
SAME_WORDS, SAME_EXPRESSION = "same words", "same expression"
INSIDE, INSIDE_MASKED = "same words, inside", "same words, numbers masked"
_LEAST = 5
"""Words of a short question that is looked for inside a text, numbers not counted where they are masked: of 7,500 questions of
MATH train none holds a shorter one of MATH test as written, and 1.7% one with numbers masked."""
_PLAIN, _MASKED = 0, 1
"""Streams of words."""
_SHORT = 2
"""Place of the rule of short runs, after that of masked ones."""
_MOST_LETTERS = 12
"""Words of a text that may be an expression with words that ask for it."""


@dataclass(frozen=True)
class Rule:
    """A way to propose items: runs of `size` words as written or with numbers masked, at least `runs` of them.

    A rule of `whole` items looks for those that are one run.
    """

    name: str
    verdict: str
    stream: int
    size: int
    runs: int = 1
    whole: bool = False


@dataclass(frozen=True)
class Overlap:
    """A benchmark question that a text overlaps: by which rule, how much, and the run of words that gave it away."""

    verdict: str
    benchmark: str
    problem: str
    rule: str
    ratio: float
    run: str
    offset: int


def rules_of(config: DecontaminateMathConfig) -> tuple[Rule, ...]:
    """Give the rules that need a run of words."""
    long, masked, short = config.ngram, config.masked_ngram, config.short_ngram
    return (
        Rule(f"{long}-gram and LCS", CONTAMINATED, _PLAIN, long),
        Rule(f"{masked}-gram and LCS, numbers masked", TEMPLATE, _MASKED, masked),
        Rule(f"{short}-grams and LCS, numbers masked", TEMPLATE, _MASKED, short, config.short_runs),
        *(Rule(INSIDE, CONTAMINATED, _PLAIN, size, whole=True) for size in range(_LEAST, long)),
        *(Rule(INSIDE_MASKED, TEMPLATE, _MASKED, size, whole=True) for size in range(_LEAST, masked)),
    )


class QuestionIndex:
    """The questions of some benchmarks, by their words, their runs of words and their expressions."""

    def __init__(self, problems: Sequence[BenchmarkProblem], config: DecontaminateMathConfig) -> None:
        self.rules = rules_of(config)
        self._problems = problems
        self._bounds = np.array([config.lcs_ratio, config.held_ratio])
        questions = [problem.question or problem.prompt for problem in problems]
        names = sorted({problem.benchmark for problem in problems})
        self._names = names
        owners = np.array([names.index(problem.benchmark) for problem in problems], np.int64)
        read = [tables.read(question) for question in questions]
        plain = [words.hashes[words.kinds != kernels.SIGN] for words in read]
        self._vocabulary = tables.vocabulary_of(plain)
        streams = [self._streams(words) for words in read]
        self._items = tables.flat(streams, owners)
        self._tables = tuple(tables.runs_of(self._looked_for(rule, streams), rule.size) for rule in self.rules)
        self._short, self._expressions = defaultdict(list), defaultdict(list)
        for number, (question, words) in enumerate(zip(questions, read, strict=True)):
            if 0 < len(plain[number]) < config.ngram:
                self._short[int(kernels.whole(words.hashes, len(words.hashes)))].append(number)
            if expression := canonical_expression(question):
                self._expressions[expression].append(number)

    def overlaps(self, texts: Sequence[str]) -> list[list[Overlap]]:
        """Give for each text what it overlaps, the verdict that weighs most first; empty where nothing."""
        if not self._problems:
            return [[] for _ in texts]
        import pyarrow as pa

        folded = [fold(text) for text in texts]
        data, offsets = text_buffer(pa.array(folded, pa.large_string()))
        shape = (len(texts), len(self.rules), len(self._names))
        best, scores, places = np.full(shape, -1, np.int64), np.zeros(shape), np.zeros((*shape, 2), np.int64)
        wholes, sizes = np.zeros(len(texts), np.uint64), np.zeros((len(texts), 3), np.int64)
        kernels.scan(
            data, offsets, tables.READING, self._vocabulary, _numbers(self.rules), self._tables, self._items, self._bounds,
            best, scores, places, wholes, sizes,
        )  # fmt: skip
        best[:, _SHORT][best[:, _MASKED] >= 0] = -1  # what longer runs find is not told again
        found: list[list[Overlap]] = [[] for _ in texts]
        for text, rule, owner in np.argwhere(best >= 0).tolist():
            start, end = places[text, rule, owner].tolist()
            run = self.rules[rule]
            overlap = self._overlap(
                run.verdict,
                int(best[text, rule, owner]),
                run.name,
                scores[text, rule, owner],
                texts[text],
                (start, end),
            )
            found[text].append(overlap)
        self._exact(texts, wholes, sizes, found)
        return [_once(one) for one in found]

    def _exact(self, texts: Sequence[str], wholes: Hashes, sizes: Ints, found: list[list[Overlap]]) -> None:
        """Add what is found whole: short questions, and arithmetic."""
        for text, key in enumerate(wholes.tolist()):
            for number in self._firsts(self._short.get(key, ())):
                found[text].append(self._overlap(CONTAMINATED, number, SAME_WORDS, 1.0, texts[text], None))
        if not self._expressions:
            return
        letters, numbers = sizes[:, kernels.LETTERS], sizes[:, kernels.NUMBER]
        for text in np.flatnonzero((letters <= _MOST_LETTERS) & (letters + numbers > 0)).tolist():
            expression = canonical_expression(texts[text]) if len(texts[text]) <= LONGEST else None
            for number in self._firsts(self._expressions.get(expression or "", ())):
                found[text].append(self._overlap(CONTAMINATED, number, SAME_EXPRESSION, 1.0, texts[text], None))

    def _firsts(self, numbers: Sequence[int]) -> Iterator[int]:
        """Give the first of these items of each benchmark."""
        seen = set()
        for number in numbers:
            if self._problems[number].benchmark not in seen:
                seen.add(self._problems[number].benchmark)
                yield number

    def _looked_for(self, rule: Rule, streams: Sequence[tuple[Ints, Ints]]) -> list[Ints]:
        """Give the words of the items that a rule looks for, none of the others."""
        found = [pair[rule.stream] for pair in streams]
        number = self._vocabulary[3]
        if not rule.whole:
            return found
        return [one if len(one) == rule.size and (one != number).sum() >= _LEAST else one[:0] for one in found]

    def _streams(self, words: tables.Words) -> tuple[Ints, Ints]:
        """Give the numbers of the words of an item, as written and with numbers masked."""
        slots, values, numeric, number = self._vocabulary
        kept = words.kinds != kernels.SIGN
        plain = np.array([kernels.find(slots, values, key) for key in words.hashes[kept]], np.int64)
        masks = (words.kinds[kept] == kernels.NUMBER) | numeric[plain] if len(plain) else np.zeros(0, bool)
        return plain, np.where(masks, number, plain)

    def _overlap(
        self, verdict: str, number: int, rule: str, ratio: float, text: str, span: tuple[int, int] | None
    ) -> Overlap:
        start, end = (place(text, span[0]), place(text, span[1] - 1) + 1) if span else (0, len(text))
        problem = self._problems[number]
        return Overlap(verdict, problem.benchmark, problem.id, rule, round(float(ratio), 3), text[start:end], start)


def _once(found: list[Overlap]) -> list[Overlap]:
    """Put what weighs most first; a short question that is the whole text is not told as being inside of it too."""
    same = {(one.benchmark, one.problem) for one in found if one.rule == SAME_WORDS}
    kept = [one for one in found if one.rule not in (INSIDE, INSIDE_MASKED) or (one.benchmark, one.problem) not in same]
    return sorted(kept, key=lambda overlap: overlap.verdict != CONTAMINATED)


def _numbers(rules: Sequence[Rule]) -> Ints:
    return np.array([(rule.stream, rule.size, rule.runs) for rule in rules], np.int64)


def lcs_ratio(left: Sequence[str], right: Sequence[str]) -> float:
    """Give the length of the longest common subsequence over the length of the longer side.

    >>> lcs_ratio(["a", "b", "c", "d"], ["a", "c", "d"])
    0.75
    """
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(word, len(known)) for word in right], np.int64)
    masks = np.zeros((len(known) + 1, len(left) // 64 + 1), np.uint64)
    for position, word in enumerate(left):
        if word in known:
            masks[known[word], position // 64] |= np.uint64(1 << position % 64)
    state: Any = np.empty(masks.shape[1], np.uint64)
    return int(kernels.lcs(numbers, masks, (len(left) + 63) // 64, len(left), state)) / max(len(left), len(right), 1)
