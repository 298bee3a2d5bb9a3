"""Parquet shards: written once, in a fixed row order, with the schema checked on read.

A file that has its final name is whole: writers write beside it, flush to disk and rename. The bytes depend on rows and
schema alone, given one version of Arrow.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 4096
STREAM_GROUP_ROWS = 32_768
"""Rows of a group of a narrow table of all files."""
_FORMAT: dict[str, Any] = {"compression": "zstd", "compression_level": 3, "store_schema": False}


def shard_name(index: int, count: int) -> str:
    """Name one shard of a folder.

    >>> shard_name(0, 8)
    'part-00000-of-00008.parquet'
    """
    return f"part-{index:05d}-of-{count:05d}.parquet"


def shard_paths(folder: Path) -> list[Path]:
    """List the shards of a folder in order; a folder without a whole set is refused."""
    paths = sorted(folder.glob("part-*-of-*.parquet"))
    if not paths:
        raise SchemaError(f"{folder} has no shards (part-00000-of-00001.parquet); was the stage that writes it run?")
    count = int(paths[0].stem.rpartition("-")[2])
    wanted = [shard_name(index, count) for index in range(count)]
    found = [path.name for path in paths]
    if found != wanted:
        missing = sorted(set(wanted) - set(found)) or sorted(set(found) - set(wanted))
        raise SchemaError(
            f"{folder} is not one set of {count} shards: look at {missing[0]}; delete the folder and run again"
        )
    return paths


def read(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a shard; a corrupt file, a missing column or another type is a `SchemaError` that names them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(columns) if columns is not None else schema.names
    try:
        file = pq.ParquetFile(path)
        missing = [name for name in names if name not in file.schema_arrow.names]
        if missing:
            raise SchemaError(f"{path} lacks column {missing[0]!r} (has: {', '.join(file.schema_arrow.names)})")
        table = file.read(columns=names)
    except FileNotFoundError:
        raise SchemaError(f"{path} is not there; {cure(path)}") from None
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    for name in names:
        if table.schema.field(name).type != schema.field(name).type:
            found, wanted = table.schema.field(name).type, schema.field(name).type
            raise SchemaError(f"{path} has column {name!r} of type {found}, wanted {wanted}")
    return table.select(names).replace_schema_metadata(None)


def write(path: Path, rows: pa.Table | Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    """Write a shard in the order given; a row's missing keys are null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = (
        rows.select(schema.names).cast(schema)
        if isinstance(rows, pa.Table)
        else pa.Table.from_pylist(list(rows), schema)
    )

    def write_table(temporary: Path) -> None:
        pq.write_table(table.replace_schema_metadata(None), temporary, row_group_size=ROW_GROUP_ROWS, **_FORMAT)

    replace(path, write_table)


def write_stream(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write many tables as one file, a row group at a time; the bytes do not depend on how the rows were cut into tables."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write_tables(temporary: Path) -> None:
        held, rows = [], 0
        with pq.ParquetWriter(temporary, schema, **_FORMAT) as writer:
            for table in tables:
                held.append(table.select(schema.names))
                rows += len(table)
                while rows >= STREAM_GROUP_ROWS:
                    whole = pa.concat_tables(held).combine_chunks()
                    writer.write_table(whole.slice(0, STREAM_GROUP_ROWS), STREAM_GROUP_ROWS)
                    held, rows = [whole.slice(STREAM_GROUP_ROWS)], rows - STREAM_GROUP_ROWS
            if rows:
                writer.write_table(pa.concat_tables(held).combine_chunks(), STREAM_GROUP_ROWS)

    replace(path, write_tables)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """Read JSON; a corrupt file is a `SchemaError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} is not readable JSON ({error}); {cure(path)}") from None


def replace(path: Path, write_to: Callable[[Path], Any]) -> None:
    """Let `write_to` write a file beside `path`, flush it to disk, and give it its name; a failure leaves nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        write_to(temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        finish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """Name the file in which this process writes `path` until it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def finish(temporary: Path, path: Path) -> None:
    """Give a whole file its name, and remove what killed processes left of it."""
    temporary.replace(path)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)


def num_rows(path: Path) -> int:
    """Count the rows of a shard from its footer."""
    return int(_footer(path).num_rows)


def column_names(path: Path) -> list[str]:
    """List the columns of a shard from its footer."""
    return list(_footer(path).schema.to_arrow_schema().names)


def _footer(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> SchemaError:
    return SchemaError(f"{path} is not a readable Parquet file ({error}); {cure(path)}")


def cure(path: Path) -> str:
    """Say what to delete when a file is damaged: the output that it is part of, for nothing less is made again."""
    output = next((folder for folder in path.parents if (folder / "manifest.json").exists()), None)
    return f"delete {output or 'its folder'} and run the stage again"


def sha256(path: Path) -> str:
    """Digest a file without reading it whole."""
    value = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            value.update(block)
    return value.hexdigest()
