"""Drop what overlaps a benchmark: runs of n words of its prompts, solutions and tests, with a ledger of every decision.

A word is a run of letters, digits and underscores in any case, so spaces, punctuation and layout hide nothing. Parts of
a benchmark with fewer than n words are looked for whole, as exact text up to case and white space, down to `shortest`
words; shorter ones, and runs of numbers, cannot be told from ordinary code. Hashes only propose: a hit counts when the
words are equal.

A run that many training documents hold is ordinary code, and does not count against a document, unless the document
holds most of a long benchmark part. Paraphrases and renamed variables are not found. About 190 MB a core second for
code with HumanEval and MBPP, whatever the number of benchmarks.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.engine import Engine

if TYPE_CHECKING:
    import pyarrow as pa

    from corpora.ngrams import Index

Span = tuple[int, int, int]
"""A hit in one document: which run, and the bytes it covers."""

_SCRATCH = "scratch"


@dataclass(frozen=True, kw_only=True)
class DecontaminateConfig:
    """Which benchmarks are kept out, and how much overlap counts."""

    benchmarks: tuple[str, ...] = ("humaneval:test", "mbpp:test")
    """`name:split` of `corpora.benchmarks`."""
    ngram: int = 10
    """Words of a run that counts (Qwen2.5-Coder, DeepSeek-Coder: 10; the QWEN report: 13, on samples only)."""
    shortest: int = 5
    """Fewest words of a benchmark part that is looked for whole. DeepSeek-Coder takes 3, for prose; `return x + y`, a
    whole solution of HumanEval, is in one file of a few hundred. Seven of 1,992 parts are shorter than 5."""
    boilerplate_documents: int = 10
    """A run in more training documents than this is ordinary code. Our choice: the sources do not say."""
    verbatim_share: float = 0.5
    """Share of a part's runs, at least `ngram` of them, with which a document counts even if each run is ordinary."""

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.ngram <= 64:
            raise ValueError(
                f"DecontaminateConfig needs 1 <= shortest <= ngram <= 64, got {self.shortest} and {self.ngram}"
            )
        if self.boilerplate_documents < 1:
            raise ValueError(
                f"DecontaminateConfig.boilerplate_documents must be at least 1, got {self.boilerplate_documents}"
            )
        if not 0 < self.verbatim_share <= 1:
            raise ValueError(
                f"DecontaminateConfig.verbatim_share must be above 0 and at most 1, got {self.verbatim_share}"
            )
        for name in self.benchmarks:
            if name.count(":") != 1:
                raise ValueError(f"DecontaminateConfig.benchmarks must be written name:split, got {name!r}")


def decontaminate_corpus(
    out: Path, *, documents: Path, config: DecontaminateConfig, engine: Engine
) -> dict[str, object]:
    """Drop documents that overlap a benchmark."""
    return _decontaminate(out, documents, "documents", config, engine)


def decontaminate_conversations(
    out: Path, *, conversations: Path, config: DecontaminateConfig, engine: Engine
) -> dict[str, object]:
    """Drop conversations whose messages or tests overlap a benchmark."""
    return _decontaminate(out, conversations, "conversations", config, engine)


def _decontaminate(
    out: Path, source: Path, kind: str, config: DecontaminateConfig, engine: Engine
) -> dict[str, object]:
    """Find the hits of every shard, then which runs are boilerplate, then decide document by document."""
    paths = shards.shard_paths(source / "kept")
    holders: Counter[int] = Counter()
    for held in engine.map_shards(_find_shard, paths, out / _SCRATCH, kind, config):
        holders.update({int(gram): count for gram, count in held.items()})
    boilerplate = {gram: count for gram, count in holders.items() if count > config.boilerplate_documents}
    shards.write_json(out / _SCRATCH / "boilerplate.json", sorted(boilerplate))
    counts = sieve.total(out, engine.map_shards(_decide_shard, paths, out, kind, config))
    index = _index(config)
    dropped = [row for path in paths for row in shards.read_json(out / _SCRATCH / f"{path.name}.ledger.json")]
    ignored = [_ignored_row(index, gram, boilerplate[gram]) for gram in sorted(boilerplate)]
    shards.write(out / "ledger.parquet", [*dropped, *ignored], records.LEDGER)
    shutil.rmtree(out / _SCRATCH)
    return {
        **counts,
        "benchmark_runs": len(index.grams),
        "boilerplate_runs": len(boilerplate),
        "too_short": index.too_short,
        "problems_found": len({(row["benchmark"], row["problem"]) for row in dropped}),
    }


@lru_cache(maxsize=1)
def _index(config: DecontaminateConfig) -> Index:
    from corpora.ngrams import Index

    return Index.build(config.benchmarks, config.ngram, config.shortest)


def _find_shard(path: Path, scratch: Path, kind: str, config: DecontaminateConfig) -> dict[str, int]:
    """Write the hits of one shard; count for each run the training documents that hold it."""
    import numpy as np

    table = shards.read(path, _schema(kind))
    hits = [(hit.text, hit.gram, hit.start, hit.end) for hit in _index(config).hits(_texts(table, kind))]
    sieve.save_array(scratch / f"{path.name}.npy", np.array(hits, np.int64).reshape(-1, 4))
    splits = table["split"].to_pylist() if kind == "documents" else [records.TRAIN] * len(table)
    holders = Counter(gram for text, gram in {hit[:2] for hit in hits} if splits[text] == records.TRAIN)
    return {str(gram): holders[gram] for gram in sorted(holders)}


def _decide_shard(path: Path, out: Path, kind: str, config: DecontaminateConfig) -> sieve.Counts:
    """Split one shard by its hits, and write its part of the ledger."""
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    import numpy as np

    index, table = _index(config), shards.read(path, _schema(kind))
    boilerplate = frozenset(shards.read_json(out / _SCRATCH / "boilerplate.json"))
    texts, ids = _texts(table, kind), table["id"].to_pylist()
    by_row: dict[int, list[Span]] = {}
    for row, gram, start, end in np.load(out / _SCRATCH / f"{path.name}.npy").tolist():
        by_row.setdefault(row, []).append((gram, start, end))
    rejects, ledger = [], []
    for row, spans in sorted(by_row.items()):
        overlaps = judge(index, spans, boilerplate, config)
        if overlaps:
            ledger += [_dropped_row(index, ids[row], texts[row].as_py().encode(), overlap) for overlap in overlaps]
            rejects.append(_reject(index, row, overlaps))
    shards.write_json(out / _SCRATCH / f"{path.name}.ledger.json", ledger)
    return sieve.write(out, path.name, table, rejects, _schema(kind))


@dataclass(frozen=True)
class Overlap:
    """What a document shares with one part of a benchmark: the part, how many of its runs, the first of them."""

    part: int
    runs: int
    first: Span
    verbatim: bool


def judge(index: Index, spans: list[Span], boilerplate: frozenset[int], config: DecontaminateConfig) -> list[Overlap]:
    """Say which parts a document overlaps; empty when nothing counts against it.

    A run that several parts hold is put to the one of which the document holds most.
    """
    grams = {gram for gram, _, _ in spans}
    shared = Counter(part for gram in grams for part in index.members[gram])
    verbatim = {part for part, runs in shared.items() if runs >= _verbatim_runs(index, part, config)}
    firsts: dict[int, Span] = {}
    for span in spans:
        parts = index.members[span[0]]
        if span[0] not in boilerplate or verbatim.intersection(parts):
            best = max(parts, key=lambda part: (part in verbatim, shared[part], -part))
            firsts.setdefault(best, span)
    return [Overlap(part, shared[part], first, part in verbatim) for part, first in sorted(firsts.items())]


def _verbatim_runs(index: Index, part: int, config: DecontaminateConfig) -> float:
    return max(config.ngram, config.verbatim_share * index.parts[part].runs)


def _reject(index: Index, row: int, overlaps: list[Overlap]) -> sieve.Reject:
    most = max(overlaps, key=lambda overlap: (overlap.runs, -overlap.part))
    part = index.parts[most.part]
    return sieve.Reject(row, "contaminated", float(most.runs), 0.0, f"{part.benchmark} {part.problem} {part.field}")


def _dropped_row(index: Index, document: str, text: bytes, overlap: Overlap) -> dict[str, Any]:
    part, (_, start, end) = index.parts[overlap.part], overlap.first
    extent = "whole" if part.short else f"{overlap.runs} of {part.runs} runs"
    return {
        "id": document,
        "benchmark": part.benchmark,
        "problem": part.problem,
        "rule": f"{'verbatim, ' if overlap.verbatim else ''}{extent}, {part.field}",
        "ngram": text[start:end].decode(),
        "offset": len(text[:start].decode()),
        "decision": "dropped",
    }


def _ignored_row(index: Index, gram: int, holders: int) -> dict[str, Any]:
    part = index.parts[index.members[gram][0]]
    return {
        "id": "",
        "benchmark": part.benchmark,
        "problem": part.problem,
        "rule": f"boilerplate, {part.field}",
        "ngram": index.grams[gram].decode(),
        "offset": None,
        "decision": f"not counted: in {holders} training documents",
    }


def _schema(kind: str) -> pa.Schema:
    schema: pa.Schema = records.DOCUMENT if kind == "documents" else records.CONVERSATION
    return schema


def _texts(table: pa.Table, kind: str) -> pa.ChunkedArray:
    """Give what is searched: a document's text; all that is said and tested in a conversation."""
    import pyarrow as pa

    if kind == "documents":
        return table["text"]
    rows = zip(table["messages"].to_pylist(), table["tests"].to_pylist(), strict=True)
    texts = ["\n".join([*(message["content"] for message in messages), tests or ""]) for messages, tests in rows]
    return pa.chunked_array([pa.array(texts, pa.string())])
