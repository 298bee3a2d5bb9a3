"""Drop problems that overlap a benchmark's test questions, with a ledger of every overlap.

A contaminated problem always leaves. One that only shares the template of a test question (other numbers, other names) leaves
when it was made from another, because renumbering would hide a leak; a seed or drill of that sort stays, and the ledger says
so. Rules: `overlap.py`; what they find of changed copies: docs/math_data.md. Seeds are checked before anything is made from
them, and every row again before release. What is read is the question. 20,000 to 45,000 rows a core second.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import ledger, records, shards, sieve
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles, check_names, load_all
from corpora.benchmarks.known import KNOWN
from corpora.engine import Engine
from corpora.math import rows

if TYPE_CHECKING:
    from corpora.math.overlap import Overlap, QuestionIndex

_SCRATCH = "scratch"
_CONTAMINATED = "contaminated"
_BATCH = 4096
_KINDS = "kinds"
_MAY_SHARE_A_TEMPLATE = (rows.SEED, rows.DRILL)
"""What was not made from another problem: in it nothing can hide that was renumbered, and drills are templates by nature."""
_OURS = "gsm8k"
"""The one set of those that a math model is tested on which is shipped."""


@dataclass(frozen=True, kw_only=True)
class DecontaminateMathConfig:
    """Which benchmarks are kept out, and how much overlap counts."""

    benchmarks: tuple[str, ...] = ("gsm8k:test",)
    """`name:split` of `corpora.benchmarks`."""
    files: tuple[BenchmarkFile, ...] = ()
    """Benchmarks that are not shipped, as `corpora.benchmarks.known.known("math", sha256)`; luigi.cfg [benchmarks] says
    where each lies."""
    ngram: int = 13
    """Words in a row that propose a match (QWEN report, section 3.1; Qwen2.5-Math)."""
    masked_ngram: int = 10
    """The same with numbers masked; ours, from what it finds of test questions with other numbers."""
    short_ngram: int = 5
    """Words in a row, numbers masked, of which `short_runs` propose a match; ours, from what it finds of other wordings."""
    short_runs: int = 6
    lcs_ratio: float = 0.6
    """A match counts above this share of the longer question in common (Qwen2.5-Math)."""
    held_ratio: float = 0.9
    """Or from this share of the benchmark's question on, whatever is written around it; ours."""

    def __post_init__(self) -> None:
        for name in ("ngram", "masked_ngram", "short_ngram", "short_runs"):
            if getattr(self, name) < 1:
                raise ValueError(f"DecontaminateMathConfig.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.lcs_ratio < 1:
            raise ValueError(f"DecontaminateMathConfig.lcs_ratio must be at least 0 and below 1, got {self.lcs_ratio}")
        if not 0 < self.held_ratio <= 1:
            raise ValueError(f"DecontaminateMathConfig.held_ratio must be above 0 and at most 1, got {self.held_ratio}")
        check_names("DecontaminateMathConfig", self.benchmarks, self.files)

    def unchecked(self) -> list[str]:
        """Name the usual math sets that are not kept out, because nobody said where they are."""
        named = {*(name.split(":")[0] for name in self.benchmarks), *(file.name for file in self.files)}
        return [name for name in (_OURS, *KNOWN) if name not in named]


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
    entries = [entry for path in paths for entry in shards.read_json(out / _SCRATCH / f"{path.name}.json")]
    found = [entry["row"] for entry in entries]
    ledger.write(out, found)
    total = sieve.total(out, counts)
    shutil.rmtree(out / _SCRATCH)
    where = _where(entries)
    told = {
        name: {**one, **where.get(name, {_KINDS: {}, "kept": 0})} for name, one in ledger.found(found, items).items()
    }
    return {**total, "overlaps": len(found), "benchmarks": told, "unchecked": config.unchecked()}


def _where(entries: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Say of each benchmark in how many rows of which kind it was found and dropped, and how many rows stay."""
    dropped: dict[str, set[tuple[str, str]]] = {}
    kept: dict[str, set[str]] = {}
    for entry in entries:
        row = entry["row"]
        if row["decision"].startswith(ledger.DROPPED):
            dropped.setdefault(row["benchmark"], set()).add((entry["kind"], row["id"]))
        else:
            kept.setdefault(row["benchmark"], set()).add(row["id"])
    return {
        name: {
            _KINDS: dict(sorted(Counter(kind for kind, _ in dropped.get(name, ())).items())),
            "kept": len(kept.get(name, ())),
        }
        for name in {*dropped, *kept}
    }


@lru_cache(maxsize=2)
def _index(config: DecontaminateMathConfig, files: BenchmarkFiles) -> tuple[QuestionIndex, dict[str, int]]:
    """Index the questions of the benchmarks, and count those of each."""
    from corpora.math.overlap import QuestionIndex

    problems = list(load_all(config.benchmarks, config.files, files))
    return QuestionIndex(problems, config), dict(Counter(problem.benchmark for problem in problems))


def _decontaminate_shard(path: Path, out: Path, config: DecontaminateMathConfig, files: BenchmarkFiles) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    index, _ = _index(config, files)
    table = shards.read(path, records.PROBLEM)
    rejects, entries = [], []
    for start in range(0, len(table), _BATCH):
        batch = table.slice(start, _BATCH)
        kinds, ids = batch["kind"].to_pylist(), batch["id"].to_pylist()
        for number, overlaps in enumerate(index.overlaps(batch["question"].to_pylist())):
            reason = judge(kinds[number], overlaps)
            for overlap in overlaps:
                row = _ledger_row(ids[number], kinds[number], overlap, reason)
                entries.append({"kind": kinds[number], "row": row})
            if reason is not None:
                first = overlaps[0]
                evidence = f"{first.problem}, {first.rule}"
                rejects.append(sieve.Reject(start + number, reason, first.ratio, config.lcs_ratio, evidence))
    shards.write_json(out / _SCRATCH / f"{path.name}.json", entries)
    return sieve.write(out, path.name, table, rejects, records.PROBLEM)


def judge(kind: str, overlaps: Sequence[Overlap]) -> str | None:
    """Say why a problem of this kind leaves, or None."""
    if any(overlap.verdict == _CONTAMINATED for overlap in overlaps):
        return _CONTAMINATED
    return overlaps[0].verdict if overlaps and kind not in _MAY_SHARE_A_TEMPLATE else None


def _ledger_row(name: str, kind: str, overlap: Overlap, reason: str | None) -> ledger.Row:
    return {
        "id": name,
        "benchmark": overlap.benchmark,
        "problem": overlap.problem,
        "field": "question",
        "rule": overlap.rule,
        "share": overlap.ratio,
        "ngram": overlap.run,
        "offset": overlap.offset,
        "length": len(overlap.run),
        "decision": f"{ledger.DROPPED}: {reason}" if reason else f"kept: {overlap.verdict} of a {kind}",
    }
