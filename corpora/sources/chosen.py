"""The plan of repositories whose files are rows: chosen in one order with folders, by arrays, not by objects.

120 million files are some ten million repositories: here each is a name in an Arrow column and a few numbers. A repository
within its room is taken whole; of a larger one the rows are taken in the order of their digest while they fit, and only those
repositories are looked up in the costs of the first pass. What each input has to write is a small table of its own.

A repository of a table is held out when the digest of its name is below the fraction, whatever else is read, so that one
more repository moves no other; at least one of all is held out, and never all.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import shards
from corpora.collect import CollectConfig
from corpora.sources import Repository, digest
from corpora.sources.narrow import COSTS, SUMMARY, schema
from corpora.sources.plan import rank
from corpora.sources.tables import Input

if TYPE_CHECKING:
    import numpy.typing as npt

PLAN = {"repository": "string", "shard": "int64", "heldout": "int64", "cut": "int64"}
CUTS = {"source": "string", "repository": "string", "path": "string", "revision": "string"}
_BETWEEN = "\x00"
_HALF = 64
"""Bits of a digest that order ten million names: two share them with odds of one in 300,000."""
_SLICE = 65_536
_MAXIMUM_NAMED = 1_000
"""Held-out repositories that the manifest names; all are in the documents."""


class Rows:
    """Repositories of all tables, what each would cost, and which are taken."""

    def __init__(self, out: Path, inputs: Sequence[Input], names: Sequence[str], config: CollectConfig) -> None:
        """Read the summaries of the inputs, which lie in `out` under `names`."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        self._out, self._config, self.names = out, config, list(names)
        self._sources = [one.dataset.name for one in inputs]
        read = [shards.read(out / "summary" / f"{name}.parquet", schema(SUMMARY)) for name in names]
        whole, lengths = pa.concat_tables(read), [len(one) for one in read]
        inputs_of = np.repeat(np.arange(len(read), dtype=np.int32), lengths)
        sources = pa.array(self._sources, pa.string()).take(pa.array(inputs_of))
        keys = pc.binary_join_element_wise(sources, whole["repository"].combine_chunks(), _BETWEEN).dictionary_encode()
        self._keys = keys.dictionary
        indices = keys.indices.to_numpy(zero_copy_only=False)
        self._owner = np.zeros(len(self._keys), np.int32)
        self._owner[indices] = inputs_of
        self._of = np.split(indices, np.cumsum(lengths)[:-1])
        self.cost, self.size = (self._sum(indices, whole[kind]) for kind in ("cost", "bytes"))
        self.taken = np.zeros(len(self._keys), bool)
        self.heldout = np.zeros(len(self._keys), bool)
        self._order, self._shard, self._rank = self._digests()
        self._cuts: dict[int, list[tuple[str, str]]] = {}
        self._costs: dict[int, list[tuple[str, str, int]]] = {}

    def _sum(self, indices: Any, values: Any) -> npt.NDArray[Any]:
        import numpy as np

        total = np.zeros(len(self._keys), np.int64)
        np.add.at(total, indices, values.to_numpy())
        return total

    def _digests(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Give of each repository its place in the order of choice, its shard, and its rank for the held-out split."""
        import numpy as np

        order, shard, ranks = (np.zeros(len(self._keys), kind) for kind in (np.uint64, np.int64, np.uint64))
        for index, (source, name) in enumerate(self._pairs()):
            order[index] = int(digest(str(self._config.seed), name)[:16], 16)
            shard[index] = int(digest("shard", source, name), 16) * self._config.num_shards >> 128
            ranks[index] = int(rank(self._config, name)[:16], 16)
        return order, shard, ranks

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for start in range(0, len(self._keys), _SLICE):
            for key in self._keys.slice(start, _SLICE).to_pylist():
                source, _, name = key.partition(_BETWEEN)
                yield source, name

    def pair(self, index: int) -> tuple[str, str]:
        """Name a repository: source and name."""
        source, _, name = self._keys[index].as_py().partition(_BETWEEN)
        return source, name

    def between(self, found: Sequence[Repository]) -> Iterator[Repository | int]:
        """Put the numbers of these repositories between others that are in the order of choice."""
        import numpy as np

        mine = (
            (int(self._order[index]), self._sources[self._owner[index]], int(index))
            for index in np.argsort(self._order, kind="stable")
        )
        others = (
            (int(digest(str(self._config.seed), one.name)[:16], 16), one.source, -1 - number)
            for number, one in enumerate(found)
        )
        for _, _, number in heapq.merge(mine, others):
            yield number if number >= 0 else found[-1 - number]

    def take(self, index: int, left: int) -> tuple[int, int]:
        """Take a repository, or of it what there is room for: what is then left of the budget, and what is not read of it."""
        cost, most = int(self.cost[index]), self._config.max_repository_bytes
        if not left:
            return 0, int(self.size[index])
        self.taken[index] = True
        room = min(left, most)
        if cost <= room:
            return left - cost, 0
        used = self._cut(index, room)
        return 0 if room == left else left - used, cost - used

    def _cut(self, index: int, room: int) -> int:
        """Choose rows of one repository in the order of their digest while they fit; give what they cost."""
        import numpy as np

        if index not in self._costs:
            over = [] if self._cuts else np.flatnonzero(self.cost > self._config.max_repository_bytes).tolist()
            self._costs |= self._look_up(sorted({index, *over}))
        name = self.pair(index)[1]
        used = 0
        rows = sorted(self._costs.pop(index), key=lambda row: (digest(str(self._config.seed), name, row[0]), row))
        self._cuts[index] = []
        for path, revision, cost in rows:
            if used + cost <= room:
                self._cuts[index].append((path, revision))
                used += cost
        return used

    def _look_up(self, wanted: list[int]) -> dict[int, list[tuple[str, str, int]]]:
        """Read what the rows of some repositories cost."""
        import pyarrow as pa
        import pyarrow.compute as pc

        by_pair = {self.pair(index): index for index in wanted}
        found: dict[int, list[tuple[str, str, int]]] = {index: [] for index in wanted}
        for number, name in enumerate(self.names):
            mine = [pair[1] for pair in by_pair if pair[0] == self._sources[number]]
            if not mine:
                continue
            table = shards.read(self._out / "costs" / f"{name}.parquet", schema(COSTS))
            for row in table.filter(pc.is_in(table["repository"], pa.array(mine, pa.string()))).to_pylist():
                found[by_pair[self._sources[number], row["repository"]]].append(
                    (row["path"], row["revision"], row["cost"])
                )
        return found

    def hold_out(self, others: set[str], readable: set[str]) -> set[str]:
        """Hold repositories out, beside those `others` of the folders; give the names of `readable` ones that are too."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        mine = self.taken & (self.cost > 0)
        bound = int(self._config.heldout_fraction * (1 << _HALF))
        also = pc.is_in(self._names_of(slice(None)), pa.array(sorted(others), pa.string()))
        self.heldout = mine & ((self._rank < np.uint64(bound)) | also.to_numpy(zero_copy_only=False))
        found = np.flatnonzero(mine)
        if bound and not others and not self.heldout.any() and len(found) + len(readable) > 1 and len(found):
            self.heldout |= mine & (self._rank == self._rank[found].min())
        if len(found) and self.heldout[found].all() and not readable - others:
            self.heldout &= self._rank != self._rank[found].max()
        if not readable:
            return others
        return others | readable.intersection(self._names_of(np.flatnonzero(self.heldout)).to_pylist())

    def _names_of(self, which: Any) -> Any:
        """Give names of repositories, without their sources."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.replace_substring_regex(
            self._keys.take(pa.array(np.arange(len(self._keys))[which])), "^[^\x00]*\x00", ""
        )

    def num_taken(self) -> int:
        """Count the repositories that are read."""
        return int(self.taken.sum())

    def heldout_names(self) -> list[str]:
        """Name the first of those that are held out."""
        import numpy as np

        return sorted(set(self._names_of(np.flatnonzero(self.heldout)[:_MAXIMUM_NAMED]).to_pylist()))

    def write(self) -> None:
        """Write what each input has to give, and the rows that are chosen of repositories which do not fit."""
        import numpy as np
        import pyarrow as pa

        for name, numbers in zip(self.names, self._of, strict=True):
            mine = numbers[self.taken[numbers]]
            table = pa.table(
                {
                    "repository": self._names_of(mine),
                    "shard": self._shard[mine],
                    "heldout": self.heldout[mine].astype(np.int64),
                    "cut": np.isin(mine, list(self._cuts)).astype(np.int64),
                }
            )
            shards.write(self._out / "plan" / f"{name}.parquet", table, schema(PLAN))
        rows = [
            dict(zip(CUTS, (*self.pair(index), *row), strict=True))
            for index, chosen in sorted(self._cuts.items())
            for row in sorted(chosen)
        ]
        shards.write(self._out / "cuts.parquet", rows, schema(CUTS))
