"""Exercises of reasoning-gym (Apache-2.0), an optional package: `pip install 'qwen-specialize[reasoning-gym]'`.

Its data sets of mathematics that give a number, each item scored by the package itself: its answer must score 1, and another
one less. That is the only evidence of such a row, and the row says so. `gsm_symbolic` is refused by name: it is made from
templates of GSM8K's test split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from corpora import progress, shards, sieve
from corpora.math import rows
from corpora.math.annotations import ANSWER_MARK, Unusable

LICENSE = "Apache-2.0"
EVIDENCE = "scored by reasoning-gym"
REFUSED = {"gsm_symbolic": "it is made from templates of GSM8K's test split"}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?")
_SOURCE = "reasoning-gym "


@dataclass(frozen=True, kw_only=True)
class GymConfig:
    """Which data sets of reasoning-gym, and how much of each."""

    datasets: tuple[str, ...] = (
        "basic_arithmetic",
        "chain_sum",
        "fraction_simplification",
        "gcd",
        "lcm",
        "prime_factorization",
    )
    """Names as the package has them; items whose answer is no number are rejected."""
    rows_each: int = 1_000
    num_shards: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.datasets:
            if name in REFUSED:
                raise ValueError(f"GymConfig.datasets must not name {name}: {REFUSED[name]}")
        if not self.datasets:
            raise ValueError("GymConfig.datasets must name at least one data set")
        for name in ("rows_each", "num_shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"GymConfig.{name} must be at least 1, got {getattr(self, name)}")


def augment_gym(out: Path, *, config: GymConfig) -> dict[str, object]:
    """Take items of every data set, score them, and write those with a number for an answer."""
    made: dict[str, rows.Row] = {}
    rejected: list[rows.Row] = []
    for done, name in enumerate(config.datasets, start=1):
        for row, reason in _items(name, config):
            if reason is None:
                made[row["id"]] = row
            else:
                rejected.append(rows.rejection(row, reason))
        progress.report(done, len(config.datasets), "data sets")
    kept, refused = rows.by_shard(made.values(), config.num_shards), rows.by_shard(rejected, config.num_shards)
    names = [shards.shard_name(index, config.num_shards) for index in range(config.num_shards)]
    counts = [rows.write(out, *shard) for shard in zip(names, kept, refused, strict=True)]
    return sieve.total(out, counts)


def _items(name: str, config: GymConfig) -> Iterator[tuple[rows.Row, str | None]]:
    dataset = _create(name, config)
    for number in range(config.rows_each):
        item = dataset[number]
        question, answer = str(item["question"]).strip(), str(item["answer"]).strip()
        row = rows.problem(
            rows.GYM, question, f"{ANSWER_MARK} {answer}", answer, source=f"{_SOURCE}{name}", license=LICENSE
        )
        yield row | {"evidence": EVIDENCE}, judge(dataset, item, answer)


def judge(dataset: Any, item: Any, answer: str) -> str | None:
    """Say why an item is no row, or None: its scorer must tell its answer from another one."""
    if not _NUMBER.fullmatch(answer):
        return "answer is no number"
    if dataset.score_answer(answer=answer, entry=item) != 1.0:
        return "own answer scored below 1"
    if dataset.score_answer(answer=str(Fraction(answer) + 1), entry=item) == 1.0:
        return "wrong answer scored 1"
    return None


def _create(name: str, config: GymConfig) -> Any:
    try:
        import reasoning_gym
    except ImportError as error:
        raise ValueError(
            "GymConfig needs the package reasoning-gym, which is not installed: pip install 'qwen-specialize[reasoning-gym]', "
            "or leave the stage out"
        ) from error
    return reasoning_gym.create_dataset(name, seed=int(rows.digest(config.seed, name)[:8], 16), size=config.rows_each)


def check(row: rows.Row) -> tuple[str, str]:
    """See that a row is of the package and that its solution gives its answer; the package has scored it."""
    if not row["source"].startswith(_SOURCE) or row["source"].removeprefix(_SOURCE) in REFUSED:
        raise Unusable("source refused")
    if row["solution"] != f"{ANSWER_MARK} {row['answer']}" or row["evidence"] != EVIDENCE:
        raise Unusable("answer is not the solution's")
    return EVIDENCE, ""
