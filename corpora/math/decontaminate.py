"""Drop problems that overlap a benchmark's test questions, with a ledger of every overlap.

A contaminated problem always leaves. One that only shares the template of a test question (other numbers) leaves when it was
made here, because renumbering would hide a leak; a seed of that sort stays, and the ledger says so. Rules: `overlap.py`.
Seeds are checked before anything is made from them, and every row again before release.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import ledger, shards, sieve
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles, check_names, load_all
from corpora.engine import Engine
from corpora.math import rows

if TYPE_CHECKING:
    from corpora.math.overlap import Overlap, QuestionIndex

_SCRATCH = "scratch"
_CONTAMINATED = "contaminated"


@dataclass(frozen=True, kw_only=True)
class DecontaminateMathConfig:
    """Which benchmarks are kept out, and how much overlap counts."""

    benchmarks: tuple[str, ...] = ("gsm8k:test",)
    """`name:split` of `corpora.benchmarks`."""
    files: tuple[BenchmarkFile, ...] = ()
    """Benchmarks that are not shipped, as MATH; luigi.cfg [benchmarks] says where each lies."""
    ngram: int = 13
    """Words in a row that propose a match (QWEN report, section 3.1; Qwen2.5-Math)."""
    masked_ngram: int = 10
    """The same with numbers masked; ours, from what it finds of test questions with other numbers."""
    lcs_ratio: float = 0.6
    """A match counts above this share of the longer question in common (Qwen2.5-Math)."""

    def __post_init__(self) -> None:
        for name in ("ngram", "masked_ngram"):
            if getattr(self, name) < 1:
                raise ValueError(f"DecontaminateMathConfig.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.lcs_ratio < 1:
            raise ValueError(f"DecontaminateMathConfig.lcs_ratio must be at least 0 and below 1, got {self.lcs_ratio}")
        check_names("DecontaminateMathConfig", self.benchmarks, self.files)


def decontaminate_seeds(
    out: Path,
    *,
    problems: Path,
    config: DecontaminateMathConfig,
    benchmark_files: BenchmarkFiles = BenchmarkFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Drop seeds that overlap a benchmark."""
    return decontaminate_math(out, problems=problems, config=config, engine=Engine(), benchmark_files=benchmark_files)


def decontaminate_math(
    out: Path,
    *,
    problems: Path,
    config: DecontaminateMathConfig,
    engine: Engine,
    benchmark_files: BenchmarkFiles = BenchmarkFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Drop problems that overlap a benchmark."""
    paths, (_, items) = shards.shard_paths(problems / "kept"), _index(config, benchmark_files)
    counts = engine.map_shards(_decontaminate_shard, paths, out, config, benchmark_files)
    found = [row for path in paths for row in shards.read_json(out / _SCRATCH / f"{path.name}.json")]
    ledger.write(out, found)
    total = sieve.total(out, counts)
    shutil.rmtree(out / _SCRATCH)
    return {**total, "overlaps": len(found), "benchmarks": ledger.found(found, items)}


@lru_cache(maxsize=2)
def _index(config: DecontaminateMathConfig, files: BenchmarkFiles) -> tuple[QuestionIndex, dict[str, int]]:
    """Index the questions of the benchmarks, and count those of each."""
    from corpora.math.overlap import QuestionIndex

    problems = list(load_all(config.benchmarks, config.files, files))
    index = QuestionIndex(problems, ngram=config.ngram, masked_ngram=config.masked_ngram, ratio=config.lcs_ratio)
    return index, dict(Counter(problem.benchmark for problem in problems))


def _decontaminate_shard(path: Path, out: Path, config: DecontaminateMathConfig, files: BenchmarkFiles) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    index, _ = _index(config, files)
    kept, rejected, found = [], [], []
    for row in rows.read(path):
        overlaps = index.overlaps(row["question"])
        reason = judge(row["kind"], overlaps)
        found += [_ledger_row(row, overlap, reason) for overlap in overlaps]
        if reason is None:
            kept.append(row)
        else:
            rejected.append(_rejection(row, overlaps[0], reason, config))
    shards.write_json(out / _SCRATCH / f"{path.name}.json", found)
    return rows.write(out, path.name, kept, rejected)


def judge(kind: str, overlaps: list[Overlap]) -> str | None:
    """Say why a problem of this kind leaves, or None."""
    if any(overlap.verdict == _CONTAMINATED for overlap in overlaps):
        return _CONTAMINATED
    return overlaps[0].verdict if overlaps and kind != rows.SEED else None


def _rejection(row: rows.Row, overlap: Overlap, reason: str, config: DecontaminateMathConfig) -> rows.Row:
    return rows.rejection(row, reason, f"{overlap.problem}, {overlap.rule}", overlap.ratio, config.lcs_ratio)


def _ledger_row(row: rows.Row, overlap: Overlap, reason: str | None) -> ledger.Row:
    return {
        "id": row["id"],
        "benchmark": overlap.benchmark,
        "problem": overlap.problem,
        "field": "question",
        "rule": overlap.rule,
        "share": overlap.ratio,
        "ngram": overlap.run,
        "offset": overlap.offset,
        "length": len(overlap.run),
        "decision": f"{ledger.DROPPED}: {reason}" if reason else f"kept: {overlap.verdict} of a {row['kind']}",
    }
