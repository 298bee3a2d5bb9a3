"""Third pass: one shard of the rows that all inputs wrote for it, and of its folders, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards
from corpora.code import optout
from corpora.collect import CollectConfig
from corpora.sources import read
from corpora.sources.plan import entry_of, place
from corpora.sources.scatter import spilled

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_BYTES = (1 << 31) - 1
"""Of the texts of one shard: the columns of a document count them in 32 bits."""


def gather(worklist: Path, out: Path, config: CollectConfig, domain: str, spills: Path) -> dict[str, int]:
    """Write one shard; one that a killed run finished is taken as it is."""
    name = worklist.stem
    kept_path, rejected_path = out / "kept" / name, out / "rejected" / name
    if not kept_path.exists():
        import pyarrow as pa
        import pyarrow.compute as pc

        work = shards.read_json(worklist)
        rows = _sorted(pa.concat_tables([spilled().empty_table(), *_pieces(spills, work["inputs"], work["shard"])]))
        refused = pc.is_valid(rows["reason"])
        kept, again = _first(rows.filter(pc.invert(refused)))
        rejected = pa.concat_tables([_once(rows.filter(refused)), again])
        entries = [row for value in work["entries"] for row in _entry(value, config, domain)]
        folders = pa.Table.from_pylist(entries, spilled())
        refused = pc.is_valid(folders["reason"])
        kept = _by_place([folders.filter(pc.invert(refused)), kept])
        if (pc.sum(pc.binary_length(kept["text"])).as_py() or 0) > _MOST_BYTES:
            raise ValueError(f"{name} would hold more than {_MOST_BYTES} bytes of text; raise num_shards")
        shards.write(rejected_path, _by_place([folders.filter(refused), rejected]), records.REJECTION)
        shards.write(kept_path, kept, records.DOCUMENT)
    return read.count(kept_path, rejected_path)


def _pieces(spills: Path, inputs: list[str], shard: int) -> Iterator[pa.Table]:
    """Read what each input wrote for this shard."""
    import pyarrow as pa

    for name in inputs:
        numbers = shards.read_json(spills / f"{name}.json")[str(shard)]
        with pa.memory_map(str(spills / f"{name}.arrow")) as source, pa.ipc.open_file(source) as file:
            yield pa.Table.from_batches([file.get_batch(number) for number in numbers])


def _sorted(rows: pa.Table) -> pa.Table:
    order = ("place", "path", "revision", "reason", "id", "text", "evidence", "license", "stars", "date")
    return rows.sort_by([(name, "ascending") for name in order])


def _first(kept: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Part the first row of each id from those that repeat it, which are rejected."""
    import numpy as np
    import pyarrow as pa

    ids = kept["id"].to_numpy()
    again = np.zeros(len(ids), bool)
    again[1:] = ids[1:] == ids[:-1]
    repeated = kept.filter(pa.array(again))
    reason = pa.array(["duplicate_id"] * len(repeated), pa.string())
    return kept.filter(pa.array(~again)), repeated.set_column(
        repeated.schema.get_field_index("reason"), "reason", reason
    )


def _once(rejected: pa.Table) -> pa.Table:
    """Name a repository that asked not to be read once, however many rows it has."""
    import numpy as np
    import pyarrow as pa

    ids, reasons = rejected["id"].to_numpy(), rejected["reason"].to_numpy()
    again = np.zeros(len(ids), bool)
    again[1:] = (ids[1:] == ids[:-1]) & (reasons[1:] == optout.REASON)
    return rejected.filter(pa.array(~again))


def _entry(value: dict[str, Any], config: CollectConfig, domain: str) -> Iterator[dict[str, Any]]:
    entry = entry_of(value)
    where = f"{place(entry.repository):032x}"
    yield from ({"place": where, **row} for row in read.entry_rows(entry, config, domain))


def _by_place(tables: list[pa.Table]) -> pa.Table:
    """Put rows in the order of their repositories; Arrow's sort is stable, so within one they stay as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_tables(tables)
    return whole.take(pc.sort_indices(whole, [("place", "ascending")])).combine_chunks()  # pages end where chunks do
