"""The tokens of a shard, cut out of an earlier output in which they were joined with others.

Tokens of a shard lie together in each prefix, in the order of the shards, and so do its rows of `documents.parquet`; how
many there are of each the notes say. What is cut out is what encoding would give, at the cost of copying 4 bytes a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from corpora import shards
from corpora.reuse import Earlier, Linked, Note, manifest_of

_COUNTED = ("documents", "files", "tokens")


class Sliced(Linked):
    """Shards that lie in `parts/` until they are joined."""

    def _damaged(self, path: Path, note: Note) -> Path | None:
        """A part that is finished has its counts, or `tokenize` has begun to take it apart; it reads what it joins."""
        finished = self._counts(path).exists() and note.get("input") == self.key(path)
        return None if finished else self._counts(path)

    def _discard(self, path: Path) -> None:
        """Leave what there is: `tokenize` makes a part without counts anew, and one with them is whole."""

    def _counts(self, path: Path) -> Path:
        return self.out / "parts" / path.stem / "counts.json"

    def _copy(self, source: Earlier, path: Path) -> None:
        notes = manifest_of(source.folder)["shards"]
        counts = notes[source.name]["result"]
        before = [note["result"]["prefixes"] for _, note in takewhile(lambda one: one[0] != source.name, notes.items())]
        target = self.out / "parts" / path.stem
        for name, here in counts["prefixes"].items():
            start = {key: sum(shard[name][key] for shard in before if name in shard) for key in _COUNTED}
            _cut_tokens(source.folder / name, target / name, start, here)
            rows = _rows_before(source.folder, name) + start["files"]
            _cut_trace(source.folder / "documents.parquet", target / f"{name}.parquet", rows, start, here)
        shards.write_json(self._counts(path), counts)


def _cut_tokens(source: Path, target: Path, start: dict[str, int], here: dict[str, Any]) -> None:
    """Write the documents of one shard as token files of their own."""
    import numpy as np

    from corpora.indexed import IndexedReader, IndexedWriter

    reader, writer = IndexedReader(source), IndexedWriter(target, np.int32)
    first, last = start["documents"], start["documents"] + here["documents"]
    writer.add_documents(
        reader.tokens[start["tokens"] : start["tokens"] + here["tokens"]],
        reader.sequence_lengths[start["files"] : start["files"] + here["files"]],
        np.diff(reader.document_indices[first : last + 1]),
    )
    writer.close()


def _rows_before(folder: Path, name: str) -> int:
    """Count the rows of the prefixes that come before one in the table of all."""
    prefixes = shards.read_json(folder / "index.json")["prefixes"]
    return sum(prefix["files"] for prefix in takewhile(lambda prefix: prefix["name"] != name, prefixes))


def _cut_trace(source: Path, target: Path, row: int, start: dict[str, int], here: dict[str, Any]) -> None:
    """Write the rows of one shard, with numbers that count within it."""
    import pyarrow as pa

    from corpora.tokenize import shift_rows, trace_schema

    table = pa.concat_tables(_rows(source, row, row + here["files"]))
    before = {"row": -start["documents"], "sequence": -start["files"], "start": -start["tokens"]}
    shards.write(target, shift_rows(table, before), trace_schema())


def _rows(path: Path, first: int, last: int) -> Iterator[Any]:
    """Read a range of rows, and only the row groups that hold some of it."""
    import pyarrow.parquet as pq

    file, start = pq.ParquetFile(path), 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        if start < last and first < end:
            table = file.read_row_group(group)
            yield table.slice(max(first - start, 0), min(last, end) - max(first, start))
        start = end
