"""Tables of the runs of benchmark parts: sorted hashes for the kernel to look up, and which parts hold each run where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpora import kernels

Ints = npt.NDArray[np.int64]


class Lookup(NamedTuple):
    """What the kernel looks up: sorted keys, and a bloom filter that stops nearly all others."""

    keys: kernels.Hashes
    bloom: kernels.Bytes

    @classmethod
    def of(cls, keys: kernels.Hashes) -> Lookup:
        """Make the lookup of distinct keys: 64 bits a key or more, so at most one run in 64 is searched for in vain."""
        keys = np.sort(keys)
        bits = 1 << max(16, (64 * len(keys)).bit_length() - 1)
        places = keys & np.uint64(bits - 1)
        flags = np.zeros(bits, np.uint8)
        flags[places.astype(np.int64)] = 1
        return cls(keys, np.packbits(flags, bitorder="little"))


class Runs(NamedTuple):
    """Runs of one part: the hash of each, and the bytes of the part that it covers."""

    part: int
    keys: kernels.Hashes
    starts: Ints
    ends: Ints


class Table(NamedTuple):
    """The distinct runs of one rule, sorted by hash; run i has the rows (part, start, end) firsts[i] to firsts[i + 1]."""

    keys: kernels.Hashes
    firsts: Ints
    parts: Ints
    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, runs: Sequence[Runs], problems: Ints, benchmarks: Ints, scaffold: int) -> Table:
        """Sort the runs of all parts, each once a part, without those of more than `scaffold` problems of a benchmark.

        `problems` and `benchmarks` number the problem and the benchmark of each part. Equal hashes are taken for equal
        runs: among a million runs, the chance that two differ is about 3e-8.
        """
        keys = np.concatenate([np.empty(0, np.uint64), *(run.keys for run in runs)])
        parts = np.repeat([run.part for run in runs], [len(run.keys) for run in runs]).astype(np.int64)
        starts = np.concatenate([np.empty(0, np.int64), *(run.starts for run in runs)])
        ends = np.concatenate([np.empty(0, np.int64), *(run.ends for run in runs)])
        order = np.lexsort((starts, parts, keys))
        rows = order[_first_of_each(keys[order], parts[order])]
        rows = rows[~_scaffolds(keys[rows], problems[parts[rows]], benchmarks[parts[rows]], scaffold)]
        unique, firsts = np.unique(keys[rows], return_index=True)
        return cls(unique, np.append(firsts, len(rows)), parts[rows], starts[rows], ends[rows])

    def members(self, run: int) -> list[int]:
        """Give the parts that hold a run, in order."""
        members: list[int] = self.parts[self.firsts[run] : self.firsts[run + 1]].tolist()
        return members

    def example(self, run: int) -> tuple[int, int, int]:
        """Give one part that holds a run, and the bytes of it that the run covers."""
        row = self.firsts[run]
        return int(self.parts[row]), int(self.starts[row]), int(self.ends[row])


def _first_of_each(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Mark rows of sorted columns that differ from the row before."""
    first = np.ones(len(columns[0]), bool)
    first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return first


def _scaffolds(keys: kernels.Hashes, problems: Ints, benchmarks: Ints, limit: int) -> npt.NDArray[np.bool_]:
    """Mark rows whose run more than `limit` problems of the row's benchmark hold; rows are sorted by key."""
    order = np.lexsort((problems, benchmarks, keys))
    first = _first_of_each(keys[order], benchmarks[order])
    group = np.cumsum(first) - 1
    held = np.bincount(group, weights=_first_of_each(keys[order], problems[order]))
    marks = np.zeros(len(keys), bool)
    marks[order] = held[group] > limit
    return marks
