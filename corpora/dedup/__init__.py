"""Exact and near duplicates: one document of each cluster survives, and every removed one names its survivor.

In a cluster with held-out documents the survivor is held out and all training documents go, so that no score on held-out
text rests on a copy in training. Otherwise the most stars survive (none counts last), then the oldest, because a copy is
younger than what it was copied from and the licence of the original is the one that holds; then the repository with the
least digest, so that all that two repositories have in common falls to the same one; then the least id. The result depends
neither on the order of documents nor on how they lie in shards, and a second run removes nothing.

An index (`corpora/dedup/index.py`) is all that is kept of a corpus: a new batch is compared with the indexes of earlier
ones, whose texts are not read again. What is like an earlier document goes, whatever it is: that one may be trained on
already. Memory is 12 bytes a document (`corpora/dedup/clusters.py`). `python -m corpora.dedup show ID` shows a cluster.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import SchemaError, records, shards, sieve
from corpora.dedup.clusters import EXACT, Election, Joined, elect, near
from corpora.dedup.index import EXACT as EXACT_ARRAYS
from corpora.dedup.index import NEAR as NEAR_ARRAYS
from corpora.dedup.index import SUMMARY, Index, build
from corpora.dedup.units import FILE, REPOSITORY, hex_ids, ids_of, least_ids, units_of
from corpora.engine import Engine

UNITS = (FILE, REPOSITORY)
_SCRATCH = "scratch"
"""Folder of what was decided; removed at the end of the stage."""


@dataclass(frozen=True, kw_only=True)
class UnitConfig:
    """What is compared."""

    unit: str = FILE
    """`file` (StarCoder2, OpenCoder), or `repository`: the union of its files, all kept or all dropped (DeepSeek-Coder)."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{type(self).__name__}.unit must be one of {', '.join(UNITS)}, got {self.unit!r}")


@dataclass(frozen=True, kw_only=True)
class NearDuplicatesConfig(UnitConfig):
    """What counts as a near duplicate."""

    jaccard: float = 0.65
    """Least estimated Jaccard similarity of a linked pair, over shingles of 5 words. Published thresholds are 0.7
    (StarCoder2) to 0.85 (The Stack); 0.65 on the estimate, whose sigma is 0.03, loses few pairs of 0.7."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.jaccard <= 1:
            raise ValueError(f"NearDuplicatesConfig.jaccard must be above 0 and at most 1, got {self.jaccard}")

    @property
    def compared(self) -> UnitConfig:
        """The part that an index and exact deduplication depend on: they stay when only the threshold changes."""
        return UnitConfig(unit=self.unit)


@dataclass(frozen=True)
class Earlier:
    """Folders of IndexDuplicates of earlier batches, oldest first: luigi.cfg [duplicates] earlier."""

    folders: tuple[str, ...] = ()

    def fingerprints(self) -> dict[str, str]:
        """Name each index by its place, since the order decides who survives; one that is not finished is refused."""
        found: dict[str, str] = {}
        for place, folder in enumerate(self.paths(), start=1):
            if not (folder / SUMMARY).is_file() or not (folder / "manifest.json").is_file():
                raise ValueError(
                    f"luigi.cfg [duplicates] earlier = {folder}: no finished output of IndexDuplicates there; "
                    "give its folder, as runs/IndexDuplicates/0123456789ab"
                )
            found[f"earlier {place}"] = str(shards.read_json(folder / "manifest.json")["fingerprint"])
        return found

    def paths(self) -> Iterator[Path]:
        """List the folders."""
        return (Path(folder).expanduser().absolute() for folder in self.folders)

    def indexes(self, unit: str) -> tuple[Index, ...]:
        """Open the indexes; one of other units is refused."""
        opened = tuple(Index.open(folder) for folder in self.paths())
        for index in opened:
            if index.unit != unit:
                raise ValueError(
                    f"luigi.cfg [duplicates] earlier = {index.folder}: an index of units {index.unit!r}, the recipe "
                    f"compares units {unit!r}; name an index of the same units"
                )
        return opened


def earlier_inventory(config: UnitConfig, earlier: Earlier) -> dict[str, str]:  # noqa: ARG001 - the form of an inventory
    """Give the fingerprints of the earlier indexes, which are part of what a deduplicated corpus is."""
    return earlier.fingerprints()


def index_duplicates(out: Path, *, documents: Path, config: UnitConfig, engine: Engine) -> dict[str, object]:
    """Write the index of a corpus: what near deduplication, and every later batch, compares."""
    index = build(out, shards.shard_paths(documents / "kept"), config.unit, NEAR_ARRAYS, engine)
    return {"units": len(index)}


def drop_exact_duplicates(
    out: Path,
    *,
    documents: Path,
    engine: Engine,
    config: UnitConfig = UnitConfig(),
    earlier: Earlier = Earlier(),
) -> dict[str, object]:
    """Keep one document of every text, none of a text that an earlier batch has."""
    paths = shards.shard_paths(documents / "kept")
    index = build(out / _SCRATCH / "index", paths, config.unit, EXACT_ARRAYS, engine)
    joined = Joined((*earlier.indexes(config.unit), index))
    election = elect(joined, EXACT, out / _SCRATCH)
    counts = _drop(out, paths, joined, "exact_duplicate", None, engine)
    return _finish(out, counts | _of_earlier(earlier, election))


def drop_near_duplicates(
    out: Path,
    *,
    documents: Path,
    index: Path,
    config: NearDuplicatesConfig,
    engine: Engine,
    earlier: Earlier = Earlier(),
) -> dict[str, object]:
    """Keep one document of every cluster of near duplicates; clusters.parquet has the members of each."""
    from corpora.minhash import PERMUTATIONS

    paths = shards.shard_paths(documents / "kept")
    joined = Joined((*earlier.indexes(config.unit), Index.open(index)))
    _check_index(joined.parts[-1], paths, config.unit)
    election = elect(joined, near(config.jaccard, PERMUTATIONS), out / _SCRATCH)
    clusters, largest = election.write_clusters(out / "clusters.parquet")
    counts = _drop(out, paths, joined, "near_duplicate", config.jaccard, engine)
    return _finish(out, {**counts, "clusters": clusters, "largest_cluster": largest, **_of_earlier(earlier, election)})


def _of_earlier(earlier: Earlier, election: Election) -> dict[str, Any]:
    return {"like_earlier": election.earlier()} if earlier.folders else {}


def _finish(out: Path, counts: dict[str, Any]) -> dict[str, object]:
    shutil.rmtree(out / _SCRATCH)
    return counts


def _check_index(index: Index, paths: list[Path], unit: str) -> None:
    if index.unit != unit or list(index.rows) != [path.name for path in paths]:
        raise SchemaError(
            f"{index.folder} is an index of {len(index.rows)} shards of units {index.unit!r}, wanted {len(paths)} of "
            f"{unit!r}; run IndexDuplicates on the same documents"
        )


def _drop(
    out: Path, paths: list[Path], joined: Joined, reason: str, bound: float | None, engine: Engine
) -> dict[str, Any]:
    """Write kept/ and rejected/ of every shard."""
    parts = engine.map_shards(_drop_shard, paths, out, joined.parts, reason, bound)
    return sieve.total(out, parts)


def _drop_shard(path: Path, out: Path, parts: tuple[Index, ...], reason: str, bound: float | None) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    rejects = _rejects(path, table, Joined(parts), out / _SCRATCH, reason, bound)
    return sieve.write(out, path.name, table, rejects, records.DOCUMENT)


def _rejects(
    path: Path, table: Any, joined: Joined, scratch: Path, reason: str, bound: float | None
) -> Iterator[sieve.Reject]:
    """Say which rows of a shard go, for which survivor, and how like it they are."""
    import numpy as np

    index = joined.parts[-1]
    start, units = joined.corpus + index.start(path.name), units_of(table, index.unit)
    mine = np.arange(start, start + index.rows[path.name])
    _check_rows(path, table, units, joined, mine)
    survivors = np.load(scratch / "survivors.npy", mmap_mode="r")[mine].astype(np.int64)
    gone = survivors != mine
    alike = np.ones(len(mine))
    if bound is not None:
        alike[gone] = joined.similarity(mine[gone], survivors[gone])
    names = hex_ids(joined.rows("ids", survivors)).to_pylist()
    for row, unit in enumerate(units.tolist()):
        if gone[unit]:
            yield sieve.Reject(row, reason, float(alike[unit]), bound, names[unit])


def _check_rows(path: Path, table: Any, units: Any, joined: Joined, mine: Any) -> None:
    """Refuse a shard whose units are not those of the index."""
    known, found = joined.rows("ids", mine), least_ids(ids_of(table, path), units)
    if known.shape != found.shape or (known != found).any():
        raise SchemaError(f"{path} does not hold what {joined.parts[-1].folder} indexes; run IndexDuplicates again")
