"""Whether a question is a benchmark's question, in other words or with other numbers.

Three rules, each proposed by a shared run of words and decided by the longest common subsequence (LCS): 13 words in a row
and LCS above 0.6 (Qwen2.5-Math); the same words, for questions too short for a run; 10 words in a row and LCS above 0.6
with every number read as one word. The last finds 94% of test questions whose numbers were changed; the first, 53%.
About 3,000 questions a core second. Blind to paraphrases, and to clauses added to a question.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpora.benchmarks import BenchmarkProblem

CONTAMINATED, TEMPLATE = "contaminated", "template"
_WORD = re.compile(r"\d+(?:\.\d+)?|[a-z]+")
_MASK = "#"


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


class QuestionIndex:
    """The questions of some benchmarks, by their runs of words."""

    def __init__(self, problems: Sequence[BenchmarkProblem], *, ngram: int, masked_ngram: int, ratio: float) -> None:
        self._ratio = ratio
        self._problems = problems
        questions = [words(problem.question or problem.prompt) for problem in self._problems]
        self._plain = _Runs(questions, ngram)
        self._masked = _Runs([masked(question) for question in questions], masked_ngram)
        self._short = {tuple(q): i for i, q in reversed(list(enumerate(questions))) if len(q) < ngram}

    def overlaps(self, text: str) -> list[Overlap]:
        """Give what a text overlaps, at most one question a rule; empty when nothing."""
        return list(self._overlaps(text))

    def _overlaps(self, text: str) -> Iterator[Overlap]:
        found, spans = words(text), [match.start() for match in _WORD.finditer(text.lower())]
        exact = self._short.get(tuple(found))
        if exact is not None:
            yield self._make(CONTAMINATED, exact, "same words", 1.0, text, spans, (0, len(found)))
        for verdict, runs, tokens, rule in (
            (CONTAMINATED, self._plain, found, f"{self._plain.size}-gram and LCS"),
            (TEMPLATE, self._masked, masked(found), f"{self._masked.size}-gram and LCS, numbers masked"),
        ):
            best = runs.best(tokens)
            if best is not None and best[1] > self._ratio:
                yield self._make(verdict, best[0], rule, best[1], text, spans, (best[2], best[2] + runs.size))

    def _make(
        self, verdict: str, problem: int, rule: str, ratio: float, text: str, spans: Sequence[int], run: tuple[int, int]
    ) -> Overlap:
        start = spans[run[0]] if spans else 0
        end = spans[run[1]] if run[1] < len(spans) else len(text)
        name = self._problems[problem]
        return Overlap(verdict, name.benchmark, name.id, rule, round(ratio, 3), text[start:end].strip(), start)


class _Runs:
    """Runs of `size` words of some questions, and the questions that hold each."""

    def __init__(self, questions: Sequence[list[str]], size: int) -> None:
        self.size = size
        self._questions = questions
        self._holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for number, question in enumerate(questions):
            for run in _runs(question, size):
                self._holders[run].add(number)

    def best(self, tokens: list[str]) -> tuple[int, float, int] | None:
        """Give the question that shares a run and has the greatest LCS ratio, the ratio, and where its first run starts."""
        first: dict[int, int] = {}
        for position, run in enumerate(_runs(tokens, self.size)):
            for number in self._holders.get(run, ()):
                first.setdefault(number, position)
        scored = [(lcs_ratio(tokens, self._questions[number]), -number) for number in first]
        if not scored:
            return None
        ratio, number = max(scored)
        return -number, ratio, first[-number]


def words(text: str) -> list[str]:
    """Cut a text into numbers and lower-case words.

    >>> words("It's 3.50, Ann!"), masked(words("Take 12 eggs"))
    (['it', 's', '3.50', 'ann'], ['take', '#', 'eggs'])
    """
    return _WORD.findall(text.lower())


def masked(tokens: Sequence[str]) -> list[str]:
    """Read every number as the same word."""
    return [_MASK if token[0].isdigit() else token for token in tokens]


def lcs_ratio(left: Sequence[str], right: Sequence[str]) -> float:
    """Give the length of the longest common subsequence over the length of the longer side; bit-parallel (Hyyrö 2004).

    >>> lcs_ratio(["a", "b", "c", "d"], ["a", "c", "d"])
    0.75
    """
    places: Counter[str] = Counter()
    for position, token in enumerate(left):
        places[token] |= 1 << position
    full = (1 << len(left)) - 1
    vector = full
    for token in right:
        match = vector & places[token]
        vector = ((vector + match) | (vector - match)) & full
    return (len(left) - vector.bit_count()) / max(len(left), len(right), 1)


def _runs(tokens: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))
