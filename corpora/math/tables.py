"""The arrays that `kernels.scan` reads: words of the benchmarks' questions as numbers, and the questions that have each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.math import kernels
from corpora.math.questions import LATEX, NUMBER_WORDS, fold

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Slots = tuple[Hashes, npt.NDArray[np.int32]]
_NUMBER = "#"
"""The word that stands for every number."""


@dataclass(frozen=True)
class Words:
    """The words of some texts, and which of them are signs or numbers."""

    hashes: Hashes
    kinds: npt.NDArray[np.uint8]


def read(text: str) -> Words:
    """Cut a text into words and signs."""
    data = np.frombuffer(fold(text).encode(), np.uint8)
    size = len(data)
    hashes, kinds = np.empty(size, np.uint64), np.empty(size, np.uint8)
    spans = np.empty((size, 2), np.int64)
    count = kernels.words(data, 0, size, *READING, hashes, spans, kinds)
    return Words(hashes[:count], kinds[:count])


def word_hash(word: str) -> int:
    """Hash a word as the kernels do."""
    data = np.frombuffer(word.encode(), np.uint8)
    return int(kernels.word_hash(data, 0, len(data)))


def _reading() -> tuple[Hashes, Hashes]:
    """Give the names of LaTeX commands by their hashes, and what each is read as."""
    meanings = {"": 0, **{sign: ord(sign) for sign in "*/"}}
    pairs = sorted((word_hash(name), meanings.get(as_, word_hash(as_) if as_ else 0)) for name, as_ in LATEX.items())
    names, read = zip(*pairs, strict=True)
    return np.array(names, np.uint64), np.array(read, np.uint64)


READING = _reading()


def _table(keys: Hashes) -> tuple[Hashes, npt.NDArray[np.int32]]:
    """Make a table of distinct keys that is at most half full."""
    size = 1 << max(4, (2 * len(keys)).bit_length())
    slots, values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    kernels.fill(keys, slots, values)
    return slots, values


def vocabulary_of(plain: Sequence[Hashes]) -> tuple[Hashes, npt.NDArray[np.int32], npt.NDArray[np.bool_], int]:
    """Number the words of all items; say which are words for numbers; the last stands for every number."""
    number = np.array([word_hash(_NUMBER)], np.uint64)
    keys = np.unique(np.concatenate([*plain, number]))
    slots, values = _table(keys)
    numeric = np.isin(keys, np.array([word_hash(word) for word in NUMBER_WORDS], np.uint64))
    return slots, values, numeric, int(np.searchsorted(keys, number[0]))


def flat(streams: Sequence[tuple[Ints, Ints]], owners: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Lay the words of all items one after another: as written, masked, where each item begins, whose it is."""
    begins = np.cumsum([0, *(len(plain) for plain, _ in streams)]).astype(np.int64)
    plain, masked = (np.concatenate([np.zeros(0, np.int64), *(pair[k] for pair in streams)]) for k in (0, 1))
    return plain, masked, begins, owners


def runs_of(streams: Sequence[Ints], size: int) -> tuple[Hashes, npt.NDArray[np.int32], Ints, Ints]:
    """Make the table of runs: slots, values, and for each run the items that have it."""
    pairs = []
    for item, numbers in enumerate(streams):
        keys = np.zeros(len(numbers), np.uint64)
        kernels.run_keys(numbers, len(numbers), size, keys)
        distinct = np.unique(keys[keys != 0])
        pairs.append(np.stack([distinct, np.full(len(distinct), item, np.uint64)]))
    keys, holders = np.concatenate([np.zeros((2, 0), np.uint64), *pairs], axis=1)
    order = np.lexsort((holders, keys))
    distinct, starts = np.unique(keys[order], return_index=True)
    return *_table(distinct), np.append(starts, len(keys)).astype(np.int64), holders[order].astype(np.int64)
