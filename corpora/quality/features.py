"""What the scorer sees of a file: which n-grams the beginning of its text holds, and a few signals of the whole.

An n-gram counts once a text, however often it is there, and a text's weights are divided by the root of their number, so
that a long file is not better for its length. Signals are standardised on the labelled files and cut at three deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corpora import kernels as words
from corpora.quality import kernels

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SIGNALS = ("bytes", "lines", "mean_line", "longest_line", "letters", "digits", "comments", "encoded", "unique_lines")
_LOGARITHMIC = frozenset({"bytes", "lines", "mean_line", "longest_line"})
_CUT = 3.0


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How texts become buckets; a model is of one shape."""

    bucket_bits: int
    longest: int
    max_bytes: int

    @property
    def num_buckets(self) -> int:
        """Count the buckets."""
        return 1 << self.bucket_bits

    @property
    def num_weights(self) -> int:
        """Count the weights: buckets, signals, constant."""
        return self.num_buckets + len(SIGNALS) + 1


@dataclass(frozen=True)
class Scale:
    """Where the signals lie on the labelled files."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def apply(self, raw: Floats) -> Floats:
        """Standardise; all signals together weigh as much as all n-grams."""
        scaled = np.clip((raw - np.array(self.means)) / np.array(self.deviations), -_CUT, _CUT)
        return np.ascontiguousarray(scaled / np.sqrt(len(SIGNALS)))


@dataclass(frozen=True)
class Features:
    """Buckets of the texts, end to end, and their signals."""

    firsts: Integers
    found: npt.NDArray[np.int32]
    signals: Floats
    """As measured, a row a text."""

    def __len__(self) -> int:
        return len(self.firsts) - 1


def measure(texts: pa.ChunkedArray, languages: list[str], shape: Shape) -> Features:
    """Measure texts."""
    firsts, found = _buckets(*words.text_buffer(texts), shape)
    return Features(firsts, found, _signals(texts, languages))


def fit_scale(raw: Floats) -> Scale:
    """Find mean and deviation of each signal; one that does not vary is left out by a deviation of 1."""
    means = raw.mean(axis=0) if len(raw) else np.zeros(len(SIGNALS))
    deviations = raw.std(axis=0) if len(raw) else np.ones(len(SIGNALS))
    deviations[deviations < 1e-9] = 1.0
    return Scale(tuple(np.round(means, 9).tolist()), tuple(np.round(deviations, 9).tolist()))


def word_table() -> npt.NDArray[np.uint8]:
    """Give the table of the bytes of words."""
    return words.word_table(fold_case=True)


def _buckets(data: words.Bytes, offsets: Integers, shape: Shape) -> tuple[Integers, npt.NDArray[np.int32]]:
    starts = offsets[:-1]
    ends = np.minimum(offsets[1:], starts + shape.max_bytes)
    room = int(((ends - starts) // 2 + 1).sum()) * shape.longest
    firsts, found = np.zeros(len(starts) + 1, np.int64), np.empty(room, np.int32)
    seen = np.full(shape.num_buckets, -1, np.int32)
    mask = np.uint64(shape.num_buckets - 1)
    count = kernels.buckets(data, starts, ends, word_table(), shape.longest, mask, seen, firsts, found)
    return firsts, found[:count].copy()


def _signals(texts: pa.ChunkedArray, languages: list[str]) -> Floats:
    from corpora.code.signals import Column

    column, rows = Column(texts, languages, [""] * len(languages)), np.arange(len(languages))
    values = np.zeros((len(languages), len(SIGNALS)))
    for index, signal in enumerate(SIGNALS):
        found = column.measure(signal, rows)
        # rounded: logarithms differ in their last bit from one processor to the next
        values[:, index] = np.round(np.log1p(found), 9) if signal in _LOGARITHMIC else found
    return values
