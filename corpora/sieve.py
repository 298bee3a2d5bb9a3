"""What every stage that drops rows does: one shard in, `kept/` and `rejected/` out, and counts of both.

A shard's counts are written last, so a shard that has counts, and the files that they count, is skipped after a crash.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, records, shards

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

Counts = dict[str, Any]


@dataclass(frozen=True)
class Reject:
    """A row that is dropped, and why."""

    row: int
    reason: str
    value: float | None = None
    """What was measured."""
    bound: float | None = None
    """What it had to keep."""
    evidence: str | None = None


def done(out: Path, name: str) -> Counts | None:
    """Give the counts of a shard that a killed run finished, or None; one whose files are not whole is made again."""
    path = out / "counts" / f"{name}.json"
    if not path.exists():
        return None
    try:
        counts: Counts = shards.read_json(path)
        for folder in ("kept", "rejected"):
            if shards.num_rows(out / folder / name) != counts[folder]:
                raise SchemaError(f"{out / folder / name} has not {counts[folder]} rows")
    except SchemaError as error:
        print(f"{error}; it is of a killed run: the shard is made again", flush=True)
        return None
    return counts


def write(out: Path, name: str, table: pa.Table, rejects: Iterable[Reject], schema: pa.Schema) -> Counts:
    """Write the rows that `rejects` does not name to kept/, the others to rejected/; give the counts."""
    import pyarrow as pa

    by_row = {reject.row: reject for reject in sorted(rejects, key=lambda reject: reject.row)}
    mask = [row not in by_row for row in range(len(table))]
    kept = table.filter(pa.array(mask, pa.bool_()))
    shards.write(out / "rejected" / name, _rejected_rows(table, list(by_row.values())), records.REJECTION)
    shards.write(out / "kept" / name, kept, schema)
    counts: Counts = {
        "kept": len(kept),
        "rejected": len(by_row),
        "reasons": dict(sorted(Counter(reject.reason for reject in by_row.values()).items())),
    }
    if "text" in table.column_names:
        counts["bytes"] = _text_bytes(kept)
    shards.write_json(out / "counts" / f"{name}.json", counts)
    return counts


def total(out: Path, parts: Sequence[Counts]) -> Counts:
    """Add up the counts of all shards, which ends the stage."""
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part["reasons"])
    numbers = add_up(out, [{key: part[key] for key in ("kept", "rejected", "bytes") if key in part} for part in parts])
    return {**numbers, "reasons": dict(sorted(reasons.items()))}


def add_up(out: Path, parts: Sequence[dict[str, int]]) -> Counts:
    """Add up numbers of all shards, name by name, and remove what the shards left of them."""
    shutil.rmtree(out / "counts", ignore_errors=True)  # none are there where every shard was reused
    return {name: sum(part[name] for part in parts) for name in parts[0]}


def save_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array that later steps of the same stage read with numpy's `load`."""
    import numpy as np

    def write_to(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            np.save(stream, array)

    shards.replace(path, write_to)


def _rejected_rows(table: pa.Table, rejects: list[Reject]) -> list[dict[str, Any]]:
    """Rows of rejected/: what tells the document, and why it went."""
    import pyarrow as pa

    origin = [name for name in ("id", "source", "repository", "path") if name in table.column_names]
    named = table.select(origin).take(pa.array([reject.row for reject in rejects], pa.int64())).to_pylist()
    return [
        {**row, "reason": reject.reason, "value": reject.value, "bound": reject.bound, "evidence": reject.evidence}
        for row, reject in zip(named, rejects, strict=True)
    ]


def _text_bytes(table: pa.Table) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.binary_length(table["text"])).as_py() or 0)
