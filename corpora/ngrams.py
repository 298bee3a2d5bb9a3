"""Every run of words of a set of benchmarks, as a hash table that one pass over a column of texts is looked up in.

Kept as text too, so that a hit is decided by comparing words (long parts) or exact text (short ones), not by a hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corpora import benchmarks, kernels

if TYPE_CHECKING:
    import pyarrow as pa

_LETTER = re.compile(rb"[a-z\x80-\xff]")
_WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")
FIELDS = ("prompt", "solution", "tests", "question", "answer")
"""Fields of a benchmark problem that are looked for, each a part of its own."""


@dataclass(frozen=True)
class Part:
    """A field of a problem: how many distinct runs it has, and whether it is so short that it is looked for whole."""

    benchmark: str
    problem: str
    field: str
    runs: int
    short: bool


@dataclass(frozen=True)
class Hit:
    """A run of a benchmark in a text: which, and the bytes of the text it covers."""

    text: int
    gram: int
    start: int
    end: int


def words(text: bytes) -> list[bytes]:
    """Cut a text into words, as the kernels do, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def squeeze(text: bytes) -> bytes:
    """Fold case and white space, for comparing short parts exactly."""
    return b" ".join(text.lower().split())


class Index:
    """The runs of some benchmarks."""

    def __init__(self, parts: Iterable[tuple[str, str, str, str]], ngram: int, shortest: int) -> None:
        """`parts` are (benchmark, problem, field, text)."""
        self.parts: list[Part] = []
        self.too_short = 0
        """Parts with fewer than `shortest` words, which are not looked for."""
        members: dict[bytes, set[int]] = {}
        self._exact: dict[bytes, set[bytes]] = {}
        for benchmark, problem, field, text in parts:
            found = words(text.encode())
            if len(found) < shortest:
                self.too_short += 1
                continue
            size = min(ngram, len(found))
            runs = {b" ".join(found[i : i + size]) for i in range(len(found) - size + 1)}
            runs = {run for run in runs if _LETTER.search(run)}  # a run of numbers is in any table
            for run in runs:
                members.setdefault(run, set()).add(len(self.parts))
            if size < ngram:
                self._exact.setdefault(b" ".join(found), set()).add(_core(text.encode()))
            self.parts.append(Part(benchmark, problem, field, len(runs), size < ngram))
        self.grams = sorted(members)
        """The distinct runs, words joined by one space; a gram is known by its position here."""
        self.members = [sorted(members[gram]) for gram in self.grams]
        """Of each gram, the parts that hold it."""
        self._keys, self._order, self._sizes, self._bloom = _table(self.grams)

    @classmethod
    def build(cls, names: Sequence[str], ngram: int, shortest: int) -> Index:
        """Index benchmarks named "name:split"."""
        problems = [problem for name in names for problem in benchmarks.load(*name.split(":"))]
        parts = ((p.benchmark, p.id, field, getattr(p, field)) for p in problems for field in _fields(p))
        return cls(parts, ngram, shortest)

    def hits(self, texts: pa.ChunkedArray) -> Iterator[Hit]:
        """Find all verified runs in a column of texts, in the order of the texts and of their offsets."""
        data, offsets = kernels.text_buffer(texts)
        table, room = kernels.word_table(fold_case=True), 4096
        while True:
            found = np.empty((room, 4), np.int64)
            count = kernels.scan(data, offsets, table, self._keys, self._sizes, self._bloom, found)
            if count <= room:
                break
            room = count
        for text, start, length, place in found[:count].tolist():
            begin = int(offsets[text]) + start
            gram = self._order[place]
            if self._verified(gram, data[begin : begin + length].tobytes()):
                yield Hit(text, gram, start, start + length)

    def _verified(self, gram: int, found: bytes) -> bool:
        wanted = self.grams[gram]
        if b" ".join(words(found)) != wanted:
            return False
        return wanted not in self._exact or squeeze(found) in self._exact[wanted]


def _fields(problem: benchmarks.BenchmarkProblem) -> list[str]:
    """Name the fields that hold text of their own (GSM8K's prompt is its question, its solution its answer)."""
    seen: dict[str, str] = {}
    for field in FIELDS:
        seen.setdefault(getattr(problem, field), field)
    return [field for text, field in seen.items() if text]


def _core(text: bytes) -> bytes:
    """Give a short part from its first word to its last, which is what a hit covers."""
    spans = [match.span() for match in _WORD.finditer(text)]
    return squeeze(text[spans[0][0] : spans[-1][1]])


def _table(
    grams: list[bytes],
) -> tuple[npt.NDArray[np.uint64], list[int], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Give what `kernels.scan` looks up: sorted keys, the gram of each, the lengths that occur, a bloom filter."""
    offsets = np.cumsum([0, *map(len, grams)])
    keys = np.zeros(len(grams), np.uint64)
    kernels.gram_keys(np.frombuffer(b"".join(grams), np.uint8), offsets, kernels.word_table(fold_case=True), keys)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    bits = 1 << max(16, (64 * len(grams)).bit_length())  # 64 bits a gram or more: at most 1 word in 64 is searched for
    bloom = np.zeros(bits // 8, np.uint8)
    place = keys & np.uint64(bits - 1)
    np.bitwise_or.at(
        bloom, (place >> np.uint64(3)).astype(np.int64), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)
    )
    sizes = np.array(sorted({gram.count(b" ") + 1 for gram in grams}), np.int64)
    return keys, order.tolist(), sizes, bloom
