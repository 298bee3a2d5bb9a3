"""First pass over tables: which repositories a file holds, with how many bytes that may be read; no text is kept.

A row is asked for when its path or language may be read; it counts when its licence is allowed, and costs its bytes when it
is not over the size cap. Two small files come of each input: one row a repository, for the plan, and one row a row that
costs something, in which only a repository larger than its room is looked up.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards
from corpora.code import languages
from corpora.code import license as licenses
from corpora.code.optout import opted_out
from corpora.collect import CollectCodeConfig, CollectConfig
from corpora.sources import digest, tables
from corpora.sources.catalog import Dataset
from corpora.sources.plan import is_code
from corpora.sources.tables import Input, input_of

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY = {"repository": "string", "bytes": "int64", "cost": "int64", "rows": "int64"}
COSTS = {"repository": "string", "path": "string", "revision": "string", "cost": "int64"}


def schema(columns: dict[str, str]) -> pa.Schema:
    """Make the schema of a table between passes."""
    import pyarrow as pa

    return pa.schema([(name, pa.string() if kind == "string" else pa.int64()) for name, kind in columns.items()])


def survey(worklist: Path, out: Path, config: CollectConfig, opt_outs: Collection[str]) -> int:
    """Write the summary and the costs of one input; give the number of its repositories."""
    summary, costs = out / "summary" / f"{worklist.stem}.parquet", out / "costs" / f"{worklist.stem}.parquet"
    if not summary.exists():
        source = input_of(shards.read_json(worklist))
        found: list[Any] = []
        shards.write_stream(costs, _costs(source, config, opt_outs, found), schema(COSTS))
        shards.write(summary, _summed(found), schema(SUMMARY))
    return shards.num_rows(summary)


def _costs(source: Input, config: CollectConfig, opt_outs: Collection[str], found: list[Any]) -> Iterator[pa.Table]:
    """Give the rows that cost something, and gather the sums of all that count in `found`."""
    import pyarrow.compute as pc

    for batch in tables.batches(source, columns(source.dataset), config.max_file_bytes):
        judged = judge(batch, source.dataset, config, opt_outs)
        asked = judged.filter(pc.and_(judged["wanted"], pc.is_null(judged["opt_out"])))
        found.append(_grouped(asked))
        if len(found) > 64:
            found[:] = [_summed(found)]
        yield asked.filter(pc.greater(asked["cost"], 0)).select(list(COSTS))


def columns(dataset: Dataset) -> tuple[str, ...]:
    """Name what planning reads: without a column of sizes, or of paths, the texts themselves."""
    named = dataset.columns
    sized = named.bytes and (named.path or named.content)
    return tables.NARROW if sized else (*tables.NARROW, *tables.WIDE)


def judge(batch: pa.Table, dataset: Dataset, config: CollectConfig, opt_outs: Collection[str]) -> pa.Table:
    """Add to rows what the plan asks: `expression`, `opt_out`, `wanted` (may be read at all), `counted`, `bytes`, `cost`.

    Rows with a problem, or of no repository, are not wanted: they are rejected whatever is planned.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    revision = batch["revision"] if "revision" in batch.column_names else pa.nulls(len(batch), pa.string())
    paths = _paths(batch)
    sound = pc.and_(pc.is_null(batch["problem"]), pc.is_valid(batch["repository"]))
    expression = _expressions(batch, dataset)
    allow = frozenset(config.licenses)
    permitted = _by_value(expression, lambda one: licenses.allowed(one, allow), pa.bool_())
    wanted = pc.and_(sound, _wanted(paths, batch, dataset, config))
    size = _sizes(batch)
    counted = pc.and_(wanted, permitted)
    cost = pc.if_else(pc.and_(counted, pc.less_equal(size, config.max_file_bytes)), size, 0)
    refused = _by_value(batch["all_names"], lambda names: opted_out(opt_outs, *names.split(",")), pa.string())
    added = {
        "path": paths,
        "revision": pc.fill_null(revision, ""),
        "expression": expression,
        "opt_out": refused,
        "sound": sound,
        "wanted": wanted,
        "counted": counted,
        "bytes": pc.if_else(counted, size, 0),
        "cost": cost,
    }
    rest = {name: batch[name] for name in batch.column_names if name not in added}
    return pa.table(rest | added)


def _by_value(array: Any, function: Any, kind: Any) -> Any:
    """Apply a function to each value that a column has, once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(pc.fill_null(array, ""))
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    if isinstance(encoded, pa.ChunkedArray):  # of an empty table
        return pa.chunked_array([], kind)
    values = pa.array([function(one) for one in encoded.dictionary.to_pylist()], kind)
    return values.take(encoded.indices)


def _paths(batch: pa.Table) -> Any:
    """Name each row within its repository: by its path, else by its text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = batch["path"] if "path" in batch.column_names else pa.nulls(len(batch), pa.string())
    if not given.null_count:
        return given
    texts = batch["text"] if "text" in batch.column_names else pa.nulls(len(batch), pa.large_binary())
    missing = pc.is_null(given)
    names = [
        digest(text.decode("utf-8", "surrogateescape")) if lacks and text is not None else None
        for lacks, text in zip(missing.to_pylist(), texts.to_pylist(), strict=True)
    ]
    return pc.fill_null(pc.coalesce(given, pa.array(names, pa.string())), "")


def _expressions(batch: pa.Table, dataset: Dataset) -> Any:
    import pyarrow as pa

    given = batch["license"] if "license" in batch.column_names else pa.nulls(len(batch), pa.string())
    return _by_value(given, lambda one: expression_of(one, dataset.license), pa.string())


@functools.lru_cache(maxsize=65_536)
def expression_of(raw: str, default: str) -> str:
    r"""Join the licences of one row, all of which are asked for; one that cannot be named makes the row's unknown.

    >>> [expression_of(raw, "") for raw in ("mit", "Apache-2.0\x1fMIT OR ISC", "MIT\x1fsee file", "")]
    ['MIT', 'Apache-2.0 AND (MIT OR ISC)', '', '']
    """
    parts = sorted({one for one in raw.split(tables.SEPARATOR) if one.strip()})
    if not parts:
        return default
    named = sorted({licenses.normalize(one) or licenses.from_free_text(one) for one in parts})
    if not all(named):
        return licenses.UNKNOWN
    return named[0] if len(named) == 1 else " AND ".join(f"({one})" if " " in one else one for one in named)


def _wanted(paths: Any, batch: pa.Table, dataset: Dataset, config: CollectConfig) -> Any:
    """Say which rows may be read: by path, or by language where there is none; of text, all."""
    import pyarrow as pa

    if not isinstance(config, CollectCodeConfig) or dataset.domain not in (records.CODE, records.COMMITS):
        return pa.array([True] * len(batch))
    if dataset.columns.path:
        test = is_code(config)
        return pa.array([test(path) for path in paths.to_pylist()], pa.bool_())
    given = batch["language"] if "language" in batch.column_names else pa.nulls(len(batch), pa.string())
    return _by_value(given, lambda one: language_of(one, dataset) in config.languages, pa.bool_())


def language_of(given: str, dataset: Dataset) -> str:
    """Name a language by what a table says, in whatever case, or the dataset's own; "" for one that is not known here."""
    return _names().get((given or dataset.language).lower(), "")


@functools.lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.lower(): name for name in languages.BY_NAME}


def _sizes(batch: pa.Table) -> Any:
    """Measure rows: by the column of sizes, else by their texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "bytes" in batch.column_names:
        return pc.max_element_wise(pc.fill_null(batch["bytes"], 0), 0)
    total = pa.array([0] * len(batch), pa.int64())
    for name in tables.BYTES:
        if name in batch.column_names:
            total = pc.add(total, pc.fill_null(pc.binary_length(batch[name]), 0))
    return total


def _grouped(rows: pa.Table) -> pa.Table:
    grouped = rows.group_by("repository").aggregate([("bytes", "sum"), ("cost", "sum"), ("path", "count")])
    return grouped.select(["repository", "bytes_sum", "cost_sum", "path_count"]).rename_columns(list(SUMMARY))


def _summed(found: list[Any]) -> pa.Table:
    """Add up sums, in the order of the repositories' names."""
    import pyarrow as pa

    if not found:
        return schema(SUMMARY).empty_table()
    whole = pa.concat_tables(found).group_by("repository")
    added = whole.aggregate([("bytes", "sum"), ("cost", "sum"), ("rows", "sum")])
    named = added.select(["repository", "bytes_sum", "cost_sum", "rows_sum"]).rename_columns(list(SUMMARY))
    return named.sort_by("repository")
