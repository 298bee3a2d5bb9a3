"""Drop what overlaps a benchmark: runs of n words of its prompts, solutions and tests, with a ledger of every decision.

A word is a run of letters, digits and underscores in any case, so spaces, punctuation and layout hide nothing, nor does a
string or JSON around the code. Parts of a benchmark with fewer than n words are looked for whole, as exact text without
case and white space, down to `shortest` words; shorter ones, and runs of numbers, cannot be told from ordinary code.
Solutions with other names are found by long runs of code tokens that a one-to-one renaming makes equal. Hashes only
propose: a hit counts when the texts agree.

A run that many training documents hold is ordinary code, and does not count against a document, unless the document
holds most of a long benchmark part. Paraphrases, other languages' words for the same, and short renamed solutions are not
found; `benchmarks/decontamination.py` measures what is. 150 to 215 MB a core second for code, whatever the number of
benchmarks. `python -m corpora.decontaminate explain` shows a document beside what it holds.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import ledger, overlaps, records, shards, sieve
from corpora.benchmarks import TEST_SETS
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles, check_names, load_all
from corpora.benchmarks.texts import CODE, texts_of
from corpora.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from corpora.benchmarks import BenchmarkProblem
    from corpora.ngrams import Hit, Index, Text

_SCRATCH = "scratch"


@dataclass(frozen=True, kw_only=True)
class DecontaminateConfig:
    """Which benchmarks are kept out, and how much overlap counts."""

    benchmarks: tuple[str, ...] = TEST_SETS
    """`name:split` of `corpora.benchmarks`."""
    files: tuple[BenchmarkFile, ...] = ()
    """Benchmarks that are not shipped; luigi.cfg [benchmarks] says where each lies."""
    ngram: int = 10
    """Words of a run that counts (Qwen2.5-Coder, DeepSeek-Coder: 10; the QWEN report: 13, on samples only)."""
    shortest: int = 5
    """Fewest words of a benchmark part that is looked for whole. DeepSeek-Coder takes 3, for prose; `return x + y`, a
    whole solution of HumanEval, is in one file of a few hundred. Seven of 1,992 parts are shorter than 5."""
    boilerplate_documents: int = 10
    """A run in more training documents than this is ordinary code. Our choice: the sources do not say."""
    scaffold_problems: int = 5
    """A run in more problems of one benchmark stands around all its programs (includes, `public static void main`)."""
    renamed_tokens: int = 24
    """Tokens of a run of code that counts when only names differ; 0 for none. Ours: `benchmarks/decontamination.py`."""
    verbatim_share: float = 0.5
    """Share of a part's runs, at least `ngram` of them, with which a document counts even if each run is ordinary."""

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.ngram <= 64:
            raise ValueError(
                f"DecontaminateConfig needs 1 <= shortest <= ngram <= 64, got {self.shortest} and {self.ngram}"
            )
        for name, least in (("boilerplate_documents", 1), ("scaffold_problems", 1), ("renamed_tokens", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"DecontaminateConfig.{name} must be at least {least}, got {getattr(self, name)}")
        if not 0 < self.verbatim_share <= 1:
            raise ValueError(
                f"DecontaminateConfig.verbatim_share must be above 0 and at most 1, got {self.verbatim_share}"
            )
        check_names("DecontaminateConfig", self.benchmarks, self.files)


def decontaminate_corpus(
    out: Path,
    *,
    documents: Path,
    config: DecontaminateConfig,
    engine: Engine,
    benchmark_files: BenchmarkFiles = BenchmarkFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Drop documents that overlap a benchmark."""
    return _decontaminate(out, documents, Pass("documents", config, benchmark_files), engine)


def decontaminate_conversations(
    out: Path,
    *,
    conversations: Path,
    config: DecontaminateConfig,
    engine: Engine,
    benchmark_files: BenchmarkFiles = BenchmarkFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Drop conversations whose messages or tests overlap a benchmark."""
    return _decontaminate(out, conversations, Pass("conversations", config, benchmark_files), engine)


@dataclass(frozen=True)
class Pass:
    """One pass over shards: what their rows are, what is looked for, and where the user's benchmarks lie."""

    kind: str
    """`documents` or `conversations`."""
    config: DecontaminateConfig
    files: BenchmarkFiles

    def schema(self) -> pa.Schema:
        """Give the columns of the rows."""
        schema: pa.Schema = records.DOCUMENT if self.kind == "documents" else records.CONVERSATION
        return schema


def _decontaminate(out: Path, source: Path, given: Pass, engine: Engine) -> dict[str, object]:
    """Find the hits of every shard, then which runs are boilerplate, then decide document by document."""
    paths, (index, items) = shards.shard_paths(source / "kept"), index_of(given)
    holders: Counter[int] = Counter()
    for held in engine.map_shards(_find_shard, paths, out / _SCRATCH, given):
        holders.update({int(gram): count for gram, count in held.items()})
    boilerplate = {gram: count for gram, count in holders.items() if count > given.config.boilerplate_documents}
    shards.write_json(out / _SCRATCH / "boilerplate.json", sorted(boilerplate))
    counts = sieve.total(out, engine.map_shards(_decide_shard, paths, out, given))
    dropped = [row for path in paths for row in shards.read_json(out / _SCRATCH / f"{path.name}.ledger.json")]
    ledger.write(
        out, [*dropped, *(overlaps.ignored_row(index, gram, boilerplate[gram]) for gram in sorted(boilerplate))]
    )
    shutil.rmtree(out / _SCRATCH)
    return {
        **counts,
        "benchmark_runs": len(index),
        "boilerplate_runs": len(boilerplate),
        "too_short": index.too_short,
        "problems_found": len({(row["benchmark"], row["problem"]) for row in dropped}),
        "benchmarks": ledger.found(dropped, items),
    }


@lru_cache(maxsize=2)
def index_of(given: Pass) -> tuple[Index, dict[str, int]]:
    """Index the benchmarks of a pass, and count the problems of each."""
    from corpora.ngrams import Index, Sizes

    config = given.config
    problems = list(load_all(config.benchmarks, config.files, given.files))
    sizes = Sizes(
        ngram=config.ngram,
        shortest=config.shortest,
        renamed=config.renamed_tokens,
        scaffold=config.scaffold_problems,
    )
    return Index(_texts_of(problems), sizes), dict(Counter(problem.benchmark for problem in problems))


def _texts_of(problems: list[BenchmarkProblem]) -> Iterator[Text]:
    from corpora.ngrams import Text

    for problem in problems:
        for field, text in texts_of(problem).items():
            yield Text(problem.benchmark, problem.id, field, text, bool(problem.tests) and field in CODE)


def find(table: pa.Table, given: Pass) -> Iterator[Hit]:
    """Give the hits of the rows of a shard."""
    return index_of(given)[0].hits(searched(table, given.kind))


def _find_shard(path: Path, scratch: Path, given: Pass) -> dict[str, int]:
    """Write the hits of one shard; count for each run the training documents that hold it."""
    import numpy as np

    table = shards.read(path, given.schema())
    hits = [tuple(hit) for hit in find(table, given)]
    sieve.save_array(scratch / f"{path.name}.npy", np.array(hits, np.int64).reshape(-1, 4))
    splits = table["split"].to_pylist() if given.kind == "documents" else [records.TRAIN] * len(table)
    holders = Counter(gram for text, gram in {hit[:2] for hit in hits} if splits[text] == records.TRAIN)
    return {str(gram): holders[gram] for gram in sorted(holders)}


def _decide_shard(path: Path, out: Path, given: Pass) -> sieve.Counts:
    """Split one shard by its hits, and write its part of the ledger."""
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    import numpy as np

    index, table = index_of(given)[0], shards.read(path, given.schema())
    boilerplate = frozenset(shards.read_json(out / _SCRATCH / "boilerplate.json"))
    texts, ids = searched(table, given.kind), table["id"].to_pylist()
    rejects, rows = [], []
    for row, hits in groupby(np.load(out / _SCRATCH / f"{path.name}.npy").tolist(), key=lambda hit: hit[0]):
        found = overlaps.judge(index, [(gram, start, end) for _, gram, start, end in hits], boilerplate, given.config)
        if found:
            text = texts[row].as_py().encode()
            rows += [overlaps.dropped_row(index, ids[row], text, overlap) for overlap in found]
            rejects.append(overlaps.reject(index, row, found))
    shards.write_json(out / _SCRATCH / f"{path.name}.ledger.json", rows)
    return sieve.write(out, path.name, table, rejects, given.schema())


def searched(table: pa.Table, kind: str) -> pa.ChunkedArray:
    """Give what is searched: a document's text; all that is said and tested in a conversation."""
    import pyarrow as pa

    if kind == "documents":
        return table["text"]
    rows = zip(table["messages"].to_pylist(), table["tests"].to_pylist(), strict=True)
    texts = ["\n".join([*(message["content"] for message in messages), tests or ""]) for messages, tests in rows]
    return pa.chunked_array([pa.array(texts, pa.string())])


if __name__ == "__main__":
    from corpora.reveal import main

    sys.exit(main())
