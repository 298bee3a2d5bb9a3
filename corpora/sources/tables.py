"""Files of rows: Parquet and JSON lines, of a folder or of the hub, with their columns brought to one form.

A file is read a row group, or some megabytes of lines, at a time. A column that a mapping names and a Parquet file lacks, or
has with a type that cannot be, ends the run with the file and the column; of JSON lines, which have no schema, a row that
does not fit is given with its `problem`. Text stays bytes until it is judged as a file's content is.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError
from corpora.sources.catalog import Columns, Dataset, Unit

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1024
SEPARATOR = "\x1f"
"""Between the licences of one row."""
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst")
INTEGERS, BYTES, NAMES = ("stars", "bytes"), ("text", "before", "message"), ("repository", "path", "revision")
EVENTS = "events"
"""A column that is read as `text`."""
WIDE = (*BYTES, EVENTS)
NARROW = tuple(one.name for one in dataclasses.fields(Columns) if one.name not in (*WIDE, "content"))
"""Columns that planning reads."""
_SITE = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<site>[^/?#:]+)"


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file of a dataset; plain data, so it travels to workers."""

    dataset: Dataset
    path: str
    """Below the root, with forward slashes."""
    root: str = ""
    """Folder of a copy; "" for the hub."""

    def __str__(self) -> str:
        """Name it in messages."""
        return str(Path(self.root, self.path)) if self.root else f"{self.dataset.hub}/{self.path}"

    def open(self) -> Any:
        """Open it for reading bytes, at any place."""
        if self.root:
            return Path(self.root, self.path).open("rb")
        from corpora.sources import hub

        return hub.open_file(self.dataset, self.path)

    def reading(self) -> AbstractContextManager[None]:
        """Say what it means when the hub fails while the file is read."""
        if self.root:
            return nullcontext()
        from corpora.sources import hub

        return hub.said(self.dataset)


def input_of(value: dict[str, Any]) -> Input:
    """Read an input back from a work list."""
    row = value["dataset"]
    row |= {"columns": Columns(**row["columns"]), "files": tuple(row["files"]), "unit": Unit(row["unit"])}
    return Input(**value | {"dataset": Dataset(**row)})


def local_inputs(dataset: Dataset, root: Path) -> list[Input]:
    """List the files of a copy that the dataset's patterns match; one that leads elsewhere or is no file is refused."""
    matches = matcher(dataset)
    found = [path for path in _walk(root) if matches(path)]
    if not found:
        raise SchemaError(
            f"{root} has no file like {' or '.join(dataset.files)} for dataset {dataset.name}; "
            "copy it with the folders that it has on the hub, or correct the path in luigi.cfg [sources]"
        )
    for path in found:
        _check(root, path)
    return [Input(dataset=dataset, path=path, root=str(root)) for path in found]


def _walk(root: Path) -> list[str]:
    """List all paths below a root, in order; folders that are links are not entered."""
    return sorted(
        Path(folder, file).relative_to(root).as_posix() for folder, _, files in os.walk(root) for file in files
    )


def _check(root: Path, path: str) -> None:
    """Refuse what is no regular file of the root; the hub's own cache has links to `blobs` beside its snapshots."""
    real = Path(os.path.realpath(root / path))
    blobs = root.resolve().parent.parent / "blobs"
    if not real.is_relative_to(root.resolve()) and not real.is_relative_to(blobs):
        raise SchemaError(f"{root / path} is a link out of {root}; put the file itself there")
    if not real.exists() or not stat.S_ISREG(real.stat().st_mode):
        raise SchemaError(f"{root / path} is not a regular file; take it away")


def matcher(dataset: Dataset) -> Callable[[str], bool]:
    """Give a test for paths by the dataset's patterns: `*` stays in a folder, `**/` is any number of folders."""
    patterns = [re.compile(_pattern(pattern)) for pattern in dataset.files]
    return lambda path: path.endswith(SUFFIXES) and any(pattern.fullmatch(path) for pattern in patterns)


def _pattern(glob: str) -> str:
    r"""Translate a pattern of paths.

    >>> bool(re.fullmatch(_pattern("**/a*.parquet"), "x/y/ab.parquet")), re.fullmatch(_pattern("*/b"), "x/y/b")
    (True, None)
    """
    parts = (
        r"(?:[^/]+/)*" if part == "**" else fnmatch.translate(part).replace(".*", "[^/]*").removesuffix(r"\Z") + "/"
        for part in glob.split("/")
    )
    return "".join(parts).removesuffix("/")


def batches(
    source: Input, names: tuple[str, ...], max_bytes: int, keep: Callable[[pa.Table], Any] | None = None
) -> Iterator[pa.Table]:
    """Read a file as tables of `row` (its number, from 1), `problem`, `evidence` and the columns named.

    `keep` is asked about the narrow columns of a row group before the others are read: with none to keep it is left out.
    """
    from corpora.sources import jsonl

    if not source.path.endswith(".parquet"):
        yield from (_unite(source.dataset, one) for one in jsonl.batches(source, names, max_bytes))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with source.reading(), source.open() as stream:
            yield from (_unite(source.dataset, one) for one in _parquet(source, pq.ParquetFile(stream), names, keep))
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(f"{source} is not a readable Parquet file ({error}); fetch it again") from None


def _parquet(
    source: Input, file: Any, names: tuple[str, ...], keep: Callable[[pa.Table], Any] | None
) -> Iterator[pa.Table]:
    """Read row groups, and rows of one in batches, so that neither a wide row group nor a long text is all in memory."""
    import pyarrow as pa

    mapped = {name: getattr(source.dataset.columns, name) for name in names if getattr(source.dataset.columns, name)}
    leaves = _leaves(source, file.schema_arrow, mapped)
    row = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if keep is None or keep(_unite(source.dataset, _narrow(source, file, group, mapped))):
            start = row
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=leaves or None):
                numbers = pa.array(range(start + 1, start + 1 + len(batch)), pa.int64())
                yield _shaped(source, pa.Table.from_batches([batch]), mapped, numbers)
                start += len(batch)
        row += count


def _narrow(source: Input, file: Any, group: int, mapped: dict[str, str]) -> pa.Table:
    import pyarrow as pa

    narrow = {name: column for name, column in mapped.items() if name in NARROW}
    table = file.read_row_group(group, columns=_leaves(source, file.schema_arrow, narrow))
    return _shaped(source, table, narrow, pa.nulls(len(table), pa.int64()))


def _leaves(source: Input, schema: pa.Schema, mapped: dict[str, str]) -> list[str]:
    """Check that a file has the columns, nested ones too, before any is read."""
    import pyarrow as pa

    for name, column in mapped.items():
        fields = schema
        for part in [column] if column in schema.names else column.split("."):
            index = fields.get_field_index(part) if isinstance(fields, pa.Schema | pa.StructType) else -1
            if index < 0:
                found = f"has: {', '.join(schema.names)}" if fields is schema else f"above {part!r} is {fields}"
                raise SchemaError(f"{source} lacks column {column!r}, mapped to {name} ({found})")
            fields = fields.field(index).type
    return list(dict.fromkeys(mapped.values()))


def _shaped(source: Input, table: pa.Table, mapped: dict[str, str], numbers: pa.Array) -> pa.Table:
    """Bring the columns of one batch to the types that all batches have."""
    import pyarrow as pa

    columns: dict[str, Any] = {"row": numbers}
    for name, column in mapped.items():
        array = _nested(table, column)
        try:
            columns["text" if name == EVENTS else name] = _typed(name, array)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise SchemaError(
                f"{source} has column {column!r} of type {array.type}, which cannot be {name} ({error})"
            ) from None
    nothing = pa.nulls(len(table), pa.string())
    return pa.table({**columns, "problem": nothing, "evidence": nothing})


def _nested(table: pa.Table, column: str) -> Any:
    """Follow dots into structs; a column whose own name has dots comes first."""
    import pyarrow.compute as pc

    if column in table.column_names:
        return table[column]
    first, *rest = column.split(".")
    return pc.struct_field(table[first], rest)


def _typed(name: str, array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.cast(kind.value_type), kind.value_type
    if name in INTEGERS:
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            raise pa.ArrowTypeError("a number is wanted")
        return array.cast(pa.int64(), safe=False)
    if name == EVENTS:
        return _threads(array)
    if name == "license" and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        strings = array.cast(pa.list_(pa.string()))
        return pc.binary_join(strings, SEPARATOR)
    if name == "date" and pa.types.is_temporal(kind):
        return pc.strftime(array.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
    if not (textual or pa.types.is_large_binary(kind) or pa.types.is_null(kind)):
        if not (name in NAMES and pa.types.is_integer(kind)):
            raise pa.ArrowTypeError("text is wanted")
        return array.cast(pa.string())
    if name in BYTES:
        return array.cast(pa.large_binary())
    return _utf8(array)


def _threads(array: Any) -> Any:
    """Make a text of each list of events."""
    import pyarrow as pa

    from corpora.sources.threads import thread_text

    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        raise pa.ArrowTypeError("a list of events is wanted")
    rows = (None if events is None else thread_text(events) for events in array.to_pylist())
    texts = [None if text is None else text.encode("utf-8", "surrogatepass") for text in rows]
    return pa.chunked_array([pa.array(texts, pa.large_binary())])


def _utf8(array: Any) -> Any:
    """Make strings; bytes that are no UTF-8 are shown, since a name is not content."""
    import pyarrow as pa

    raw = array.cast(pa.large_binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        shown = [None if one is None else one.decode("utf-8", "backslashreplace") for one in raw.to_pylist()]
        return pa.chunked_array([pa.array(shown, pa.string())])


def _unite(dataset: Dataset, table: pa.Table) -> pa.Table:
    """Fill in the repository of each row: its column as the dataset's unit reads it, else the dataset's own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = table["repository"] if "repository" in table.column_names else pa.nulls(len(table), pa.string())
    names = names.cast(pa.string())
    if dataset.unit is Unit.FIRST:
        names = pc.utf8_trim_whitespace(pc.replace_substring_regex(names, "(?s),.*", ""))
    elif dataset.unit is Unit.SITE:
        names = pc.utf8_lower(pc.struct_field(pc.extract_regex(names, _SITE), "site"))
    if dataset.repository:
        names = pc.fill_null(pc.if_else(pc.equal(names, ""), None, names), dataset.repository)
    raw = table["repository"] if "repository" in table.column_names else names
    rest = table.drop_columns(["repository"]) if "repository" in table.column_names else table
    return rest.append_column("repository", names).append_column("all_names", raw.cast(pa.string()))
