"""One of every question: copies and near copies are merged, and a question with two answers is left out.

Copies have the same words and signs. Near copies share most runs of five words (MinHash, as documents do), have the same
numbers, and the same answer; with another number or answer they are another problem. The first in the order given stays.
A copy with an answer that is not shown to be the same is a conflict: all rows of that question leave, each naming another.
512 bytes a question; 20,000 questions a core second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.math import rows
from corpora.math.questions import numbers, words

DUPLICATE, NEAR, CONFLICT = "duplicate_question", "near_duplicate_question", "conflicting_answers"
_MOST_EARLIER = 16
"""Questions of one band that a question is compared with, the first ones: a band of thousands is a phrase, not a copy."""


@dataclass(frozen=True)
class Merged:
    """A row that leaves: why, the row that stays or contradicts, and how like it is."""

    reason: str
    other: int
    value: float
    evidence: str


def merge(found: Sequence[rows.Row], jaccard: float) -> dict[int, Merged]:
    """Say of each row that leaves why it does; the rows are in the order of who stays."""
    out: dict[int, Merged] = {}
    keys = [" ".join(words(row["question"], signs=True)) for row in found]
    groups: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        groups[key].append(number)
    for members in groups.values():
        out.update(_same(found, members))
    left = [number for number in range(len(found)) if number not in out]
    for first, second, value in _near([found[number]["question"] for number in left], jaccard):
        one, other = left[first], left[second]
        if one not in out and other not in out and _agree(found[one], found[other]):
            out[other] = Merged(NEAR, one, value, f"like {found[one]['id']} ({found[one]['source']})")
    return out


def _same(found: Sequence[rows.Row], members: Sequence[int]) -> Iterator[tuple[int, Merged]]:
    """Decide about the rows of one question."""
    first, *others = members
    against = next((other for other in others if not _agree(found[first], found[other])), None)
    for number in members if against is not None else others:
        other = against if number == first and against is not None else first
        row, kept = found[number], found[other]
        if against is None:
            yield number, Merged(DUPLICATE, other, 1.0, f"same as {kept['id']} ({kept['source']})")
        else:
            text = f"answer {row['answer']!r}, and {kept['answer']!r} in {kept['id']} ({kept['source']}): correct one"
            yield number, Merged(CONFLICT, other, 1.0, text)


def _agree(first: rows.Row, second: rows.Row) -> bool:
    """Whether two answers are shown to be the same."""
    from sandbox.answers import equivalent

    return first["answer"] == second["answer"] or equivalent(first["answer"], second["answer"]).is_equal


def _near(questions: Sequence[str], jaccard: float) -> Iterator[tuple[int, int, float]]:
    """Give pairs (earlier, later, similarity) of questions with the same numbers, in the order of the later."""
    if len(questions) < 2:
        return
    import numpy as np
    import pyarrow as pa

    from corpora import minhash

    sketches = minhash.sketch(pa.array([" ".join(words(question)) for question in questions], pa.large_string()))
    pairs = np.array(sorted(set(_pairs(sketches.keys))), np.int64).reshape(-1, 2)
    similar = minhash.similarity(sketches.signatures[pairs[:, 1]], sketches.signatures[pairs[:, 0]])
    for (later, earlier), value in zip(pairs.tolist(), similar.tolist(), strict=True):
        if value >= jaccard and numbers(questions[earlier]) == numbers(questions[later]):
            yield earlier, later, round(value, 3)


def _pairs(keys: Any) -> Iterator[tuple[int, int]]:
    """Give (later, earlier) of questions that share a band."""
    import numpy as np

    for band in keys:
        order = np.argsort(band, kind="stable")
        ranked = band[order]
        starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        ends = np.append(starts[1:], len(ranked))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if end - start > 1 and ranked[start] != 0:
                members = order[start:end].tolist()
                for place, later in enumerate(members):
                    yield from ((later, earlier) for earlier in members[: min(place, _MOST_EARLIER)])
