"""Documents to Megatron's `.bin/.idx`, one prefix per domain, language and split.

An `.idx` document is one file, or one part of a repository where files were arranged so; a sequence is one file, with
what marks it, and the last of a document ends with an end-of-document. Special tokens are put between texts by id: a
text that spells one stays text. Each input shard becomes token files of its own; these are then joined in order, so
the bytes do not depend on how many workers there were.

`documents.parquet` leads from (prefix, sequence) back to file, commit and licence (`python -m corpora.trace`); it is
sorted by prefix and start, and written in a stream, so that no table of all files is ever in memory. The tokenizer lies
beside the tokens. Ids are int32: Qwen's vocabulary exceeds uint16.
"""

from __future__ import annotations

import functools
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import progress
from corpora.layout import TokenizeConfig, batches, encode, mark_of
from corpora.markers import FIM, PLACE, Markers, required

if TYPE_CHECKING:
    from corpora.engine import Engine
    from corpora.tokenizer import Tokenizer

_TRACE = ("id", "source", "repository", "path", "revision", "license")
_KEYS = ("domain", "language", "split")
_ARRANGEMENT = ("part", "part_language", "fim", "fim_start", "fim_end")
_COUNTS = "counts.json"
"""Last file of a finished part."""


def tokenize(out: Path, *, documents: Path, base: Path, config: TokenizeConfig, engine: Engine) -> dict[str, object]:
    """Encode the kept documents with the tokenizer of `base`; write prefixes, `index.json` and `documents.parquet`."""
    from corpora import shards

    paths = shards.shard_paths(documents / "kept")
    parts, folder = out / "parts", base / "tokenizer"
    counted = engine.map_shards(tokenize_shard, paths, parts, folder, config)
    names = sorted({name for shard in counted for name in shard["prefixes"]})
    found = {name: _holders(name, [path.stem for path in paths], counted) for name in names}
    _write_trace(out, parts, found)
    prefixes = [_join(out, parts, name, found[name]) for name in names]
    shards.replace(out / "tokenizer" / "tokenizer.json", lambda path: shutil.copyfile(folder / "tokenizer.json", path))
    shards.write_json(out / "index.json", {"prefixes": prefixes, **counted[0]["tokenizer"]})
    for path in paths:
        (parts / path.stem / _COUNTS).unlink()  # a run that is killed in the next line encodes again
    shutil.rmtree(parts)
    return {
        "kept": sum(prefix["files"] for prefix in prefixes),
        "documents": sum(prefix["documents"] for prefix in prefixes),
        "tokens": sum(prefix["tokens"] for prefix in prefixes),
        "bytes": sum(prefix["bytes"] for prefix in prefixes),
        "prefixes": {prefix["name"]: prefix["tokens"] for prefix in prefixes},
    }


def tokenize_shard(path: Path, parts: Path, folder: Path, config: TokenizeConfig) -> dict[str, Any]:
    """Encode one shard into `parts/{shard}/`; what a killed run finished is taken as it is."""
    from corpora import shards

    target = parts / path.stem
    if (target / _COUNTS).exists():
        return dict(shards.read_json(target / _COUNTS))
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(path):
        groups[prefix_name(row["domain"], row["prefix_language"], row["split"])].append(row)
    tokenizer = _tokenizer(folder, (folder / "tokenizer.json").stat().st_mtime_ns)
    tokens = _special_ids(tokenizer, [row for rows in groups.values() for row in rows], config)
    prefixes = {name: _write_prefix(target / name, groups[name], tokenizer, tokens, config) for name in sorted(groups)}
    counts = {"prefixes": prefixes, "tokenizer": {"vocab_size": tokenizer.vocab_size, "eod": tokenizer.eod_id}}
    shards.write_json(target / _COUNTS, counts)
    return counts


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: Path, _mtime_ns: int) -> Tokenizer:
    """Load a tokenizer once a process: Qwen's takes two seconds, as long as 60 MB of text."""
    from corpora.tokenizer import Tokenizer

    return Tokenizer.load(folder)


def prefix_name(domain: str, language: str, split: str) -> str:
    """Name a prefix.

    >>> prefix_name("code", "C++", "train")
    'code_c++_train'
    """
    return f"{domain}_{language.lower().replace(' ', '-')}_{split}"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a shard of documents, arranged or not; what is not arranged is a document of one file."""
    from corpora import records, shards

    arranged = set(_ARRANGEMENT) <= set(shards.column_names(path))
    columns = ["text", *_TRACE, *_KEYS, *(_ARRANGEMENT if arranged else ())]
    for row in shards.read(path, records.ARRANGED, columns=columns).to_pylist():
        arrangement = {name: row.get(name) for name in _ARRANGEMENT}
        yield {**row, **arrangement, "prefix_language": arrangement["part_language"] or row["language"]}


def _special_ids(tokenizer: Tokenizer, rows: Sequence[dict[str, Any]], config: TokenizeConfig) -> dict[str, int]:
    """Look up the special tokens that these rows need; a base without them is refused before anything is encoded."""
    marked = config.markers is Markers.TOKENS and any(row["part"] is not None for row in rows)
    needed = {FIM: any(row["fim"] for row in rows), PLACE: marked}
    tokens = required(tokenizer, [kind for kind, wanted in needed.items() if wanted])
    return {role: tokenizer.token_id(token) for role, token in tokens.items()}


def _write_prefix(
    prefix: Path, rows: Sequence[dict[str, Any]], tokenizer: Tokenizer, tokens: dict[str, int], config: TokenizeConfig
) -> dict[str, Any]:
    """Write the token files of one prefix and, beside them, where each file lies; count both."""
    import numpy as np

    from corpora import shards

    lengths, sequences = write_tokens(prefix, rows, tokenizer, tokens, config)
    starts = np.cumsum(lengths) - lengths
    documents = np.repeat(np.arange(len(sequences)), sequences)
    places = zip(rows, documents.tolist(), starts.tolist(), lengths, strict=True)
    trace = [
        {
            **row,
            "prefix": prefix.name,
            "row": document,
            "sequence": sequence,
            "start": start,
            "tokens": length,
            "mark": mark_of(row, config),
        }
        for sequence, (row, document, start, length) in enumerate(places)
    ]
    shards.write(prefix.with_name(f"{prefix.name}.parquet"), trace, trace_schema())
    return {
        **{key: rows[0][key] for key in ("domain", "split")},
        "language": rows[0]["prefix_language"],
        "documents": len(sequences),
        "files": len(rows),
        "tokens": sum(lengths),
        "bytes": sum(len(row["text"].encode()) for row in rows),
    }


def write_tokens(
    prefix: Path, rows: Sequence[dict[str, Any]], tokenizer: Tokenizer, tokens: dict[str, int], config: TokenizeConfig
) -> tuple[list[int], list[int]]:
    """Write `.bin/.idx` of rows in order; give the tokens of each sequence and the sequences of each document."""
    import numpy as np

    from corpora.indexed import IndexedWriter

    writer = IndexedWriter(prefix, np.int32)
    lengths: list[int] = []
    sequences: list[int] = []
    for batch in batches(rows):
        encoded = encode(batch, tokenizer, tokens, config)
        writer.add_documents(encoded.ids, encoded.lengths, encoded.sequences)
        lengths += encoded.lengths
        sequences += encoded.sequences
    writer.close()
    return lengths, sequences


def _holders(
    name: str, shard_names: Sequence[str], counted: Sequence[dict[str, Any]]
) -> list[tuple[str, dict[str, Any]]]:
    """List the shards that have a part of this prefix, with its counts."""
    pairs = zip(shard_names, counted, strict=True)
    return [(shard, counts["prefixes"][name]) for shard, counts in pairs if name in counts["prefixes"]]


def _join(out: Path, parts: Path, name: str, here: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Join the part files of one prefix in shard order; a part is removed when the whole is there, for want of space."""
    import numpy as np

    from corpora.indexed import IndexedReader, IndexedWriter

    if not (out / f"{name}.idx").exists():
        writer = IndexedWriter(out / name, np.int32)
        for done, (shard, _) in enumerate(here, start=1):
            writer.add_all(IndexedReader(parts / shard / name))
            progress.report(done, len(here), f"parts of {name}")
        writer.close()
    for shard, _ in here:
        (parts / shard / f"{name}.bin").unlink(missing_ok=True)
    sums = {key: sum(counts[key] for _, counts in here) for key in ("documents", "files", "tokens", "bytes")}
    return {"name": name, **{key: here[0][1][key] for key in _KEYS}, **sums}


def trace_schema() -> Any:
    """Columns of `documents.parquet`: where a file's tokens lie, and what the file is."""
    import pyarrow as pa

    from corpora import records

    places = [(name, pa.int64()) for name in ("row", "sequence", "start", "tokens")]
    described = [records.ARRANGED.field(name) for name in (*_TRACE, "language", "fim", "fim_start", "fim_end")]
    return pa.schema([("prefix", pa.string()), *places, *described, ("mark", pa.string())])


def _write_trace(out: Path, parts: Path, found: dict[str, list[tuple[str, dict[str, Any]]]]) -> None:
    """Write one table from those of the parts; numbers that count within a part count within the prefix."""
    from corpora import shards

    def tables() -> Iterator[Any]:
        for name, here in found.items():
            before = {"row": 0, "sequence": 0, "start": 0}
            for shard, counts in here:
                yield shift_rows(shards.read(parts / shard / f"{name}.parquet", trace_schema()), before)
                for column, counted in (("row", "documents"), ("sequence", "files"), ("start", "tokens")):
                    before[column] += counts[counted]

    shards.write_stream(out / "documents.parquet", tables(), trace_schema())


def shift_rows(table: Any, before: dict[str, int]) -> Any:
    """Add to the columns that count within a part what comes before it."""
    import pyarrow.compute as pc

    for column, shift in before.items():
        place = table.column_names.index(column)
        table = table.set_column(place, table.schema.field(place), pc.add(table[column], shift))
    return table
