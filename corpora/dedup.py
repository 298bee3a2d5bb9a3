"""Exact and near duplicates: one document of each group survives, and every removed one names its survivor.

In a group with held-out documents the survivor is held out and all training documents go, so that no score on held-out
text rests on a copy in training; otherwise the least id survives. The result depends neither on the order of documents
nor on how they lie in shards, and a second run removes nothing. Texts never leave their shard: digests and sketches (16
and 512 bytes a document) do, and are grouped on one machine in memory: 60 GB for 100 million documents.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import records, shards, sieve
from corpora.engine import Engine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Positions = npt.NDArray[np.int64]

_SCRATCH = "scratch"
"""Folder of what shards hand to the grouping; removed at the end of the stage."""


@dataclass(frozen=True, kw_only=True)
class NearDuplicatesConfig:
    """What counts as a near duplicate."""

    jaccard: float = 0.65
    """Least estimated Jaccard similarity of a linked pair, over shingles of 5 words. Published thresholds are 0.7
    (StarCoder2) to 0.85 (The Stack); 0.65 on the estimate, whose sigma is 0.03, loses few pairs of 0.7."""

    def __post_init__(self) -> None:
        if not 0 < self.jaccard <= 1:
            raise ValueError(f"NearDuplicatesConfig.jaccard must be above 0 and at most 1, got {self.jaccard}")


def drop_exact_duplicates(out: Path, *, documents: Path, engine: Engine) -> dict[str, object]:
    """Keep one document of every text."""
    import numpy as np

    paths = shards.shard_paths(documents / "kept")
    engine.map_shards(_digest_shard, paths, out / _SCRATCH)
    halves = np.concatenate([np.load(out / _SCRATCH / f"{path.name}.npy") for path in paths])
    keys = _Keys.read(paths)
    groups = np.unique(halves, axis=0, return_inverse=True)[1].reshape(-1)
    survivor = _survivors(groups, keys)
    _hand_out(out, paths, keys, survivor, np.ones(len(groups)))
    counts = sieve.total(out, engine.map_shards(_drop_shard, paths, out, "exact_duplicate", None))
    shutil.rmtree(out / _SCRATCH)
    return counts


def drop_near_duplicates(
    out: Path, *, documents: Path, config: NearDuplicatesConfig, engine: Engine
) -> dict[str, object]:
    """Keep one document of every cluster of near duplicates; clusters.parquet has the members of each."""
    import numpy as np

    paths = shards.shard_paths(documents / "kept")
    engine.map_shards(_sketch_shard, paths, out / _SCRATCH)
    keys = _Keys.read(paths)
    groups, signatures = _cluster(out / _SCRATCH, paths, keys, config.jaccard)
    survivor = _survivors(groups, keys)
    from corpora.minhash import similarity

    removed = np.flatnonzero(survivor != np.arange(len(survivor)))
    alike = np.ones(len(survivor))
    alike[removed] = similarity(signatures[removed], signatures[survivor[removed]])
    sizes = _write_clusters(out / "clusters.parquet", groups, survivor, keys)
    _hand_out(out, paths, keys, survivor, alike)
    counts = sieve.total(out, engine.map_shards(_drop_shard, paths, out, "near_duplicate", config.jaccard))
    shutil.rmtree(out / _SCRATCH)
    return {**counts, "clusters": len(sizes), "largest_cluster": max(sizes, default=0)}


@dataclass(frozen=True)
class _Keys:
    """Of every document, in the order of (shard, row): id, rank of the id, whether it is held out; rows a shard."""

    ids: list[str]
    rank: Positions
    heldout: npt.NDArray[np.bool_]
    rows: list[int]

    @classmethod
    def read(cls, paths: list[Path]) -> _Keys:
        import numpy as np
        import pyarrow as pa

        tables = [shards.read(path, records.DOCUMENT, ["id", "split"]) for path in paths]
        table = pa.concat_tables(tables)
        ids = table["id"].to_pylist()
        rank = np.empty(len(ids), np.int64)
        rank[np.argsort(np.array(ids, dtype=np.str_), kind="stable")] = np.arange(len(ids))
        heldout = np.array([split == records.HELDOUT for split in table["split"].to_pylist()], np.bool_)
        return cls(ids, rank, heldout, [len(part) for part in tables])


def _survivors(groups: Positions, keys: _Keys) -> Positions:
    """Give each document the position of its group's survivor: held-out before training, then the least id."""
    import numpy as np

    order = np.lexsort((keys.rank, ~keys.heldout, groups))
    first = np.append(True, groups[order][1:] != groups[order][:-1])[: len(order)]
    survivor = np.empty_like(groups)
    survivor[order] = order[np.flatnonzero(first)][np.cumsum(first) - 1]
    return survivor


def _cluster(
    scratch: Path, paths: list[Path], keys: _Keys, similarity: float
) -> tuple[Positions, npt.NDArray[np.uint8]]:
    """Cluster all sketches in the order of ids; give each document its cluster's least id's position."""
    import numpy as np

    from corpora import minhash

    order = np.argsort(keys.rank)
    bands = np.concatenate([np.load(scratch / f"{path.name}.keys.npy", mmap_mode="r") for path in paths], axis=1)
    signatures = np.concatenate([np.load(scratch / f"{path.name}.signatures.npy", mmap_mode="r") for path in paths])
    by_id = minhash.cluster(minhash.Sketches(bands[:, order], signatures[order]), similarity)
    groups = np.empty_like(by_id)
    groups[order] = order[by_id]
    return groups, signatures


def _write_clusters(path: Path, groups: Positions, survivor: Positions, keys: _Keys) -> list[int]:
    """Write (id, cluster, survivor) of every document that has a near duplicate; give the sizes of the clusters."""
    import numpy as np
    import pyarrow as pa

    sizes = np.bincount(groups, minlength=len(groups))
    members = sorted(np.flatnonzero(sizes[groups] > 1).tolist(), key=lambda i: (keys.rank[groups[i]], keys.rank[i]))
    rows = [{"id": keys.ids[i], "cluster": keys.ids[groups[i]], "survivor": keys.ids[survivor[i]]} for i in members]
    shards.write(path, rows, pa.schema([(name, pa.string()) for name in ("id", "cluster", "survivor")]))
    return [int(size) for size in sizes[sizes > 1]]


def _hand_out(
    out: Path, paths: list[Path], keys: _Keys, survivor: Positions, similarity: npt.NDArray[np.float64]
) -> None:
    """Write for each shard which of its rows go, for which survivor."""
    start = 0
    for path, rows in zip(paths, keys.rows, strict=True):
        removed = [i for i in range(start, start + rows) if survivor[i] != i]
        decisions = [[i - start, float(similarity[i]), keys.ids[survivor[i]]] for i in removed]
        shards.write_json(out / _SCRATCH / f"{path.name}.json", decisions)
        start += rows


def _drop_shard(path: Path, out: Path, reason: str, bound: float | None) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    decisions = shards.read_json(out / _SCRATCH / f"{path.name}.json")
    rejects = [sieve.Reject(row, reason, value, bound, survivor) for row, value, survivor in decisions]
    return sieve.write(out, path.name, table, rejects, records.DOCUMENT)


def _digest_shard(path: Path, scratch: Path) -> None:
    """Write the 128-bit digest of every text as two integers."""
    import numpy as np

    if (scratch / f"{path.name}.npy").exists():
        return
    texts = shards.read(path, records.DOCUMENT, ["text"])["text"].to_pylist()
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts)
    sieve.save_array(scratch / f"{path.name}.npy", np.frombuffer(digests, "<u8").reshape(-1, 2))


def _sketch_shard(path: Path, scratch: Path) -> None:
    """Write keys and signatures of every text; the signatures last, they say that both are there."""
    if (scratch / f"{path.name}.signatures.npy").exists():
        return
    from corpora import minhash

    sketches = minhash.sketch(shards.read(path, records.DOCUMENT, ["text"])["text"])
    sieve.save_array(scratch / f"{path.name}.keys.npy", sketches.keys)
    sieve.save_array(scratch / f"{path.name}.signatures.npy", sketches.signatures)
