"""Seed problems with worked solutions: the training split of GSM8K, as published, annotations included.

Source: Cobbe et al. 2021; MIT licence. 7,473 rows, 1 CPU second. Nothing is judged here: VerifyAnswers does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora import benchmarks, shards, sieve
from corpora.math import rows
from corpora.math.annotations import ANSWER_MARK


@dataclass(frozen=True, kw_only=True)
class SeedsConfig:
    """Which seeds are read."""

    sources: tuple[str, ...] = ("gsm8k:train",)
    """`name:split` of `corpora.benchmarks`; a test split is refused."""
    max_seeds: int | None = None
    """Seeds in all, the least digest(seed, id) first; None takes all."""
    num_shards: int = 4
    """Kept through the stages that follow. 4 shards of 1,900 rows keep four processes busy."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.sources:
            if name.count(":") != 1 or name.endswith(":test"):
                raise ValueError(f"SeedsConfig.sources must be name:split of a split for training, got {name!r}")
        if self.max_seeds is not None and self.max_seeds < 1:
            raise ValueError(f"SeedsConfig.max_seeds must be at least 1 or None, got {self.max_seeds}")
        if self.num_shards < 1:
            raise ValueError(f"SeedsConfig.num_shards must be at least 1, got {self.num_shards}")


def collect_seeds(out: Path, *, config: SeedsConfig) -> dict[str, object]:
    """Read the seeds into shards by id."""
    found = {row["id"]: row for name in config.sources for row in _problems(name)}
    chosen = sorted(found.values(), key=lambda row: rows.digest(config.seed, row["id"]))[: config.max_seeds]
    parts = []
    for index, part in enumerate(rows.by_shard(chosen, config.num_shards)):
        name = shards.shard_name(index, config.num_shards)
        parts.append(sieve.done(out, name) or rows.write(out, name, part, []))
    return sieve.total(out, parts)


def _problems(name: str) -> Iterator[rows.Row]:
    benchmark, _, split = name.partition(":")
    license_ = next(entry["license"] for entry in benchmarks.sources().values() if entry["benchmark"] == benchmark)
    for problem in benchmarks.load(benchmark, split):
        answer = problem.answer.rpartition(ANSWER_MARK)[2].strip()
        yield rows.problem(
            rows.SEED, problem.question.strip(), problem.answer.strip(), answer, source=problem.id, license=license_
        )
