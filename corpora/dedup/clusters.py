"""Clusters over indexes: one band in memory at a time, one tree for each cluster, one survivor for each tree.

Resident beside the memory-mapped files: 4 bytes a unit for the trees (8 from 2**31 units on) and, while a band is linked,
8 bytes a unit for the band; then 3 bytes a unit while the clusters are written. Indexes of earlier batches come first:
they are linked with the corpus and with each other, and whatever is like one of their units goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import progress, shards
from corpora.dedup.index import Index
from corpora.dedup.units import halves, hex_ids

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.int64]

WIDEST_RUN = 1000
"""In a band, a run of equal keys longer than this is compared with its first so many ids only."""
COLUMNS = ("id", "cluster", "survivor")
_OPENINGS = 256
"""Parts in which clusters are sorted and written, by the first byte of their name."""


@dataclass(frozen=True)
class Agreement:
    """When two units are one: which arrays are compared, and in how many bytes they must agree at least."""

    keys: str
    signatures: str
    bytes: int
    widest: int = WIDEST_RUN


EXACT = Agreement("digests", "digests", 8, widest=8)
"""The first half of the digest is the key of the only band, the second the signature."""


def near(jaccard: float, permutations: int) -> Agreement:
    """Ask for an estimated similarity of at least `jaccard`."""
    import math

    return Agreement("keys", "signatures", math.ceil(jaccard * permutations))


@dataclass(frozen=True)
class Joined:
    """Earlier indexes, oldest first, and the corpus's own; units are numbered through."""

    parts: tuple[Index, ...]
    starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        starts = [0]
        for part in self.parts:
            starts.append(starts[-1] + len(part))
        object.__setattr__(self, "starts", starts)

    @property
    def corpus(self) -> int:
        """The number of the first unit of the corpus."""
        return self.starts[-2]

    def __len__(self) -> int:
        return self.starts[-1]

    def rows(self, name: str, units: Numbers) -> Any:
        """Read an array's rows of some units."""
        import numpy as np

        arrays = [part.array(name) for part in self.parts]
        found = np.empty((len(units), *arrays[-1].shape[1:]), arrays[-1].dtype)
        for array, start, end in zip(arrays, self.starts, self.starts[1:], strict=False):
            mine = (units >= start) & (units < end)
            found[mine] = array[units[mine] - start]
        return found

    def similarity(self, first: Numbers, second: Numbers) -> npt.NDArray[np.float64]:
        """Estimate the similarity of pairs of units from their signatures."""
        import numpy as np

        return np.asarray(
            np.mean(self.rows("signatures", first) == self.rows("signatures", second), axis=-1), np.float64
        )


def elect(joined: Joined, agreement: Agreement, scratch: Path) -> Election:
    """Link all bands and choose survivors; what is decided lies in `scratch`."""
    import numpy as np

    from corpora.dedup import unions

    number = np.int32 if len(joined) <= 2**31 else np.int64
    parents = np.arange(len(joined), dtype=number)
    starts = np.array(joined.starts, np.int64)
    ids = tuple(part.array("ids") for part in joined.parts)
    _link(joined, agreement, ids, starts, parents)
    scratch.mkdir(parents=True, exist_ok=True)
    survivors, names = (_decisions(scratch / name, len(joined), number) for name in ("survivors.npy", "names.npy"))
    buckets = np.zeros(len(joined), np.int16)
    priorities, origins = (tuple(part.array(name) for part in joined.parts) for name in ("priorities", "origins"))
    unions.elect(parents, priorities, origins, ids, starts, joined.corpus, survivors, names, buckets)
    survivors.flush()  # workers on other machines read it
    return Election(joined, survivors, names, buckets)


def _decisions(path: Path, count: int, number: Any) -> Any:
    """Map a new array on disk, with its room taken at once: a full disk is then an error here, and no crash later."""
    import numpy as np

    array = np.lib.format.open_memmap(path, mode="w+", dtype=number, shape=(count,))
    with path.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return array


def _link(joined: Joined, agreement: Agreement, ids: tuple[Any, ...], starts: Numbers, parents: Any) -> None:
    import numpy as np

    from corpora.dedup import unions

    bits = max(1, len(joined).bit_length())
    keys = [part.array(agreement.keys) for part in joined.parts]
    exact = agreement.keys == agreement.signatures
    found = [part.array(agreement.signatures) for part in joined.parts]
    signatures = tuple(array[1].view(np.uint8).reshape(-1, 8) if exact else array for array in found)
    entries = np.empty(len(joined), np.uint64)
    bands = 1 if exact else len(keys[0])
    for band in range(bands):
        of_band = tuple(array[band] for array in keys)
        count = 0
        for array, start in zip(of_band, joined.starts, strict=False):
            count = unions.fill(array, start, bits, entries, count)
        entries[:count].sort()
        unions.link(entries[:count], bits, of_band, signatures, ids, starts, agreement.bytes, agreement.widest, parents)
        progress.report(band + 1, bands, "bands")


@dataclass(frozen=True)
class Election:
    """Of every unit, by number: its cluster's survivor, its cluster's name, and where its cluster is written."""

    joined: Joined
    survivors: Any
    names: Any
    buckets: npt.NDArray[np.int16]

    def earlier(self) -> int:
        """Count the units of the corpus that go for one of an earlier batch."""
        import numpy as np

        corpus = self.joined.corpus
        return int(np.count_nonzero(self.survivors[corpus:] < corpus))

    def write_clusters(self, path: Path) -> list[int]:
        """Write (id, cluster, survivor) of each unit of each cluster that has a unit of the corpus.

        Sorted by cluster and id. Gives the number of clusters and the size of the largest.
        """
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        sizes = [0, 0]
        shards.write_stream(path, self._tables(sizes), schema)
        return sizes

    def _tables(self, sizes: list[int]) -> Iterator[pa.Table]:
        import numpy as np
        import pyarrow as pa

        for opening in range(_OPENINGS):
            members = np.flatnonzero(self.buckets == opening)
            if not len(members):
                continue
            columns = [
                self.joined.rows("ids", units) for units in (members, self.names[members], self.survivors[members])
            ]
            order = np.lexsort([half for ids in columns[:2] for half in halves(ids)])
            ids, names, survivors = (column[order] for column in columns)
            runs = np.diff(np.flatnonzero(np.append((names[1:] != names[:-1]).any(axis=1), True)), prepend=-1)
            sizes[:] = sizes[0] + len(runs), max(sizes[1], int(runs.max()))
            yield pa.table([hex_ids(column) for column in (ids, names, survivors)], names=list(COLUMNS))
