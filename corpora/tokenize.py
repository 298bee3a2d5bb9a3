"""Documents to Megatron's `.bin/.idx`, one prefix per domain, language and split, an end-of-document after each file.

Each input shard becomes token files of its own; the shards are then joined in order, so the bytes do not depend on how many
workers there were. A document of the index is one file (repository segments come with the ordering of repositories).
`documents.parquet` leads from (prefix, row) back to file and commit. Ids are int32: Qwen's vocabulary exceeds uint16.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import progress

if TYPE_CHECKING:
    from corpora.engine import Engine

_TRACE = ("id", "repository", "path", "revision")
_KEYS = ("domain", "language", "split")
_COUNTS = "counts.json"
"""Last file of a finished part."""
_BATCH = 256
"""Documents encoded in one call."""


@dataclass(frozen=True, kw_only=True)
class TokenizeConfig:
    """How documents become tokens."""

    append_eod: bool = True
    """End every document with the base's `<|endoftext|>` (QWEN report, 2.2; Megatron's `--append-eod`)."""


def tokenize(out: Path, *, documents: Path, base: Path, config: TokenizeConfig, engine: Engine) -> dict[str, object]:
    """Encode the kept documents with the tokenizer of `base`; write prefixes, `index.json` and `documents.parquet`."""
    from corpora import shards

    paths = shards.shard_paths(documents / "kept")
    parts = out / "parts"
    counted = engine.map_shards(tokenize_shard, paths, parts, base / "tokenizer", config)
    names = sorted({name for shard in counted for name in shard["prefixes"]})
    prefixes = [_join(out, parts, name, [path.stem for path in paths], counted) for name in names]
    _write_trace(out, parts, [path.stem for path in paths])
    tokenizer = counted[0]["tokenizer"] if counted else {}
    shards.write_json(out / "index.json", {"prefixes": prefixes, **tokenizer})
    for path in paths:
        (parts / path.stem / _COUNTS).unlink()  # a run that is killed in the next line encodes again
    shutil.rmtree(parts)
    return {
        "kept": sum(prefix["documents"] for prefix in prefixes),
        "tokens": sum(prefix["tokens"] for prefix in prefixes),
        "bytes": sum(prefix["bytes"] for prefix in prefixes),
        "prefixes": {prefix["name"]: prefix["tokens"] for prefix in prefixes},
    }


def tokenize_shard(path: Path, parts: Path, folder: Path, config: TokenizeConfig) -> dict[str, Any]:
    """Encode one shard into `parts/{shard}/`; what a killed run finished is taken as it is."""
    from corpora import records, shards

    target = parts / path.stem
    if (target / _COUNTS).exists():
        return dict(shards.read_json(target / _COUNTS))
    rows = shards.read(path, records.DOCUMENT, columns=["text", *_TRACE, *_KEYS]).to_pylist()
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[prefix_name(*(row[key] for key in _KEYS))].append(row)
    tokenizer = _load(folder)
    prefixes, trace = {}, []
    for name in sorted(groups):
        lengths = _write_prefix(target / name, groups[name], tokenizer, config)
        first = groups[name][0]
        size = sum(len(row["text"].encode()) for row in groups[name])
        prefixes[name] = {
            **{key: first[key] for key in _KEYS},
            "documents": len(lengths),
            "tokens": sum(lengths),
            "bytes": size,
        }
        trace += [
            {**{key: row[key] for key in _TRACE}, "prefix": name, "tokens": length}
            for row, length in zip(groups[name], lengths, strict=True)
        ]
    shards.write_json(target / "trace.json", trace)
    counts = {"prefixes": prefixes, "tokenizer": {"vocab_size": tokenizer.vocab_size, "eod": tokenizer.eod_id}}
    shards.write_json(target / _COUNTS, counts)
    return counts


def prefix_name(domain: str, language: str, split: str) -> str:
    """Name a prefix.

    >>> prefix_name("code", "C++", "train")
    'code_c++_train'
    """
    return f"{domain}_{language.lower().replace(' ', '-')}_{split}"


def _load(folder: Path) -> Any:
    from corpora.tokenizer import Tokenizer

    return Tokenizer.load(folder)


def _write_prefix(prefix: Path, rows: Sequence[dict[str, Any]], tokenizer: Any, config: TokenizeConfig) -> list[int]:
    import numpy as np

    from corpora.indexed import IndexedWriter

    writer, written = IndexedWriter(prefix, np.int32), []
    for start in range(0, len(rows), _BATCH):
        ids, lengths = tokenizer.encode_flat([row["text"] for row in rows[start : start + _BATCH]])
        if config.append_eod:
            ids, lengths = np.insert(ids, lengths.cumsum(), tokenizer.eod_id), lengths + 1
        writer.add_documents(ids, lengths)
        written += lengths.tolist()
    writer.close()
    return written


def _join(
    out: Path, parts: Path, name: str, shard_names: Sequence[str], counted: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Join the part files of one prefix in shard order."""
    import numpy as np

    from corpora.indexed import IndexedReader, IndexedWriter

    writer = IndexedWriter(out / name, np.int32)
    here = [
        (shard, counts["prefixes"][name])
        for shard, counts in zip(shard_names, counted, strict=True)
        if name in counts["prefixes"]
    ]
    for done, (shard, _) in enumerate(here, start=1):
        writer.add_all(IndexedReader(parts / shard / name))
        progress.report(done, len(here), f"parts of {name}")
    writer.close()
    sums = {key: sum(counts[key] for _, counts in here) for key in ("documents", "tokens", "bytes")}
    return {"name": name, **{key: here[0][1][key] for key in _KEYS}, **sums}


def _write_trace(out: Path, parts: Path, shard_names: Sequence[str]) -> None:
    import pyarrow as pa

    from corpora import shards

    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for shard in shard_names:
        for entry in shards.read_json(parts / shard / "trace.json"):
            rows[entry["prefix"]].append({**entry, "row": len(rows[entry["prefix"]])})
    schema = pa.schema(
        [
            ("prefix", pa.string()),
            ("row", pa.int64()),
            *((name, pa.string()) for name in _TRACE),
            ("tokens", pa.int64()),
        ]
    )
    shards.write(out / "documents.parquet", [entry for name in sorted(rows) for entry in rows[name]], schema)
