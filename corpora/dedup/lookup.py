"""Find a cluster and its texts again: from `clusters.parquet` through the manifests to the documents that were compared.

The ids of a cluster are found in the index, sixteen bytes each, and their rows by number, so one row group a member is
read however large the corpus is. A member of an earlier batch is found where the store still has its index and documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, records, shards
from corpora.dedup.index import SUMMARY, Index
from corpora.dedup.units import FILE, units_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STAGE = "DropNearDuplicates"
INDEX_STAGE = "IndexDuplicates"
MANIFEST = "manifest.json"
LISTED = 100
"""Members of a cluster that are looked up; each costs the reading of a row group, and the largest clusters have thousands."""
_SHOWN_IDS = 5


@dataclass(frozen=True, kw_only=True)
class Member:
    """One unit of a cluster."""

    id: str
    is_survivor: bool
    files: list[dict[str, Any]]
    """Its documents; none where they are no longer there."""
    signature: npt.NDArray[np.uint8] | None
    batch: str
    """The index it is in; empty where that is the corpus's own."""

    @property
    def text(self) -> str:
        """The file; of a repository all files, each under its path."""
        if len(self.files) == 1:
            return str(self.files[0]["text"])
        return "\n".join(f"=== {file['path']}\n{file['text']}" for file in self.files)


def find_stage(folder: Path) -> Path:
    """Give the stage's folder: `folder` itself, or the newest of the store `folder`."""
    if (folder / "clusters.parquet").is_file():
        return folder
    found = [
        path.parent for path in folder.glob(f"{STAGE}/*/{MANIFEST}") if (path.parent / "clusters.parquet").is_file()
    ]
    if not found:
        raise SchemaError(
            f"{folder} is neither a folder of {STAGE} nor a store with one; give --folder runs/{STAGE}/0123456789ab"
        )
    return max(found, key=lambda path: (path / MANIFEST).stat().st_mtime_ns)


def find_cluster(stage: Path, prefix: str, earlier: Sequence[Path] = ()) -> list[Member]:
    """Find the cluster of the document whose id starts with `prefix`, the first `LISTED` of it; the survivor comes first.

    `earlier` are folders of earlier indexes that are not in the store.
    """
    rows = _rows(stage / "clusters.parquet", prefix.lower())
    wanted = sorted(
        rows, key=lambda row: (row["id"] != row["survivor"], not row["id"].startswith(prefix.lower()), row["id"])
    )
    rows = wanted[:LISTED]
    places = _places(_indexes(stage, earlier), [row["id"] for row in rows])
    members = []
    for row in rows:
        index, number = places.get(row["id"], (None, 0))
        own = index is not None and index.folder == _index_folder(stage)
        members.append(
            Member(
                id=row["id"],
                is_survivor=row["id"] == row["survivor"],
                files=_documents(index, number) if index else [],
                signature=index.array("signatures")[number] if index else None,
                batch="" if own else index.folder.name if index else "an index that is not in this store",
            )
        )
    return sorted(members, key=lambda member: (not member.is_survivor, member.id))


def _rows(path: Path, prefix: str) -> list[dict[str, str]]:
    """Read the rows of one cluster."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    if not prefix or set(prefix) - set("0123456789abcdef"):
        raise ValueError(f"an id is 32 hex digits or the first of them, got {prefix!r}")
    table = ds.dataset(path)
    found = table.to_table(filter=pc.starts_with(ds.field("id"), prefix)).to_pylist()
    if not found:
        raise SchemaError(
            f"no document of {path} has an id that starts with {prefix}: a document without near duplicates is in no "
            "cluster, one with an equal text is in rejected/ of DropExactDuplicates"
        )
    clusters = sorted({row["cluster"] for row in found})
    if len(clusters) > 1:
        ids = ", ".join(row["id"] for row in found[:_SHOWN_IDS]) + (", ..." if len(found) > _SHOWN_IDS else "")
        raise ValueError(f"{prefix} begins {len(found)} ids of {len(clusters)} clusters: {ids}; give more digits")
    return table.to_table(filter=ds.field("cluster") == clusters[0]).to_pylist()  # type: ignore[no-any-return]


def _index_folder(stage: Path) -> Path:
    return stage.parents[1] / str(shards.read_json(stage / MANIFEST)["inputs"]["index"])


def _indexes(stage: Path, earlier: Sequence[Path]) -> Iterator[Index]:
    """Give the indexes that were compared, as far as the store has them; the corpus's own comes last."""
    manifest = shards.read_json(stage / MANIFEST)
    pinned = manifest["identity"].get("sources", {})
    folders = [
        stage.parents[1] / INDEX_STAGE / pinned[name] for name in sorted(pinned, key=lambda name: (len(name), name))
    ]
    for folder in [*earlier, *folders, _index_folder(stage)]:
        if (folder / SUMMARY).is_file():
            yield Index.open(folder)


def _places(indexes: Iterable[Index], ids: list[str]) -> dict[str, tuple[Index, int]]:
    """Find in which index a unit is, and its number there."""
    import numpy as np

    found: dict[str, tuple[Index, int]] = {}
    halves = np.frombuffer(bytes.fromhex("".join(ids)), ">u8").reshape(-1, 2)
    for index in indexes:
        known = index.array("ids").view(">u8")
        for number in np.flatnonzero(np.isin(known[:, 0], halves[:, 0])).tolist():
            found.setdefault(known[number].tobytes().hex(), (index, number))
    return {name: place for name, place in found.items() if name in ids}


def _documents(index: Index, number: int) -> list[dict[str, Any]]:
    """Read the documents of a unit; none where the documents of the index are gone."""
    import pyarrow.parquet as pq

    manifest = shards.read_json(index.folder / MANIFEST)
    kept = index.folder.parents[1] / manifest["inputs"]["documents"] / "kept"
    for shard, count in index.rows.items():
        if number >= count:
            number -= count
            continue
        if not (kept / shard).is_file():
            return []
        if index.unit == FILE:
            group, row = divmod(number, shards.ROW_GROUP_ROWS)
            return list(pq.ParquetFile(kept / shard).read_row_group(group).slice(row, 1).to_pylist())
        table = shards.read(kept / shard, records.DOCUMENT)
        return list(table.filter(units_of(table, index.unit) == number).to_pylist())
    return []
