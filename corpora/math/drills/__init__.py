"""Drills: short exercises with an exact answer, from generators of our own; some are held out for evaluation.

Plain calculations of two numbers (`groups.py`), and topics: the sixteen groups of Math401, algebra, fractions, units. Whether
a question is for training or held out is a function of the exercise and the seed (the same for `a + b` and `b + a`, however
they are asked), so the two never share one, whatever the numbers asked for. An exercise that stands in a benchmark of the
config is refused, in whatever spelling. 20,000 rows a core second; of decimal powers and functions, 4,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from corpora import records, shards
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles, check_names, load_all
from corpora.math import rows
from corpora.math.drills.drill import Drill
from corpora.math.drills.groups import GROUPS, OPERATIONS, QUESTION, DrillGroup
from corpora.math.drills.topics import ALL_TOPICS, TOPICS, DrillTopic
from corpora.math.expressions import canonical_expression

__all__ = [
    "ALL_TOPICS",
    "GROUPS",
    "LICENSE",
    "OPERATIONS",
    "QUESTION",
    "TOPICS",
    "Drill",
    "DrillGroup",
    "DrillTopic",
    "DrillsConfig",
    "augment_drills",
    "is_held_out",
    "shares",
]

LICENSE = "Apache-2.0"
_TRIES_PER_ROW = 50
Sort = DrillGroup | DrillTopic


@dataclass(frozen=True, kw_only=True)
class DrillsConfig:
    """How many drills, of which sorts."""

    train_rows: int = 8_000
    """Rows for training in all; a drill is about 30 tokens. Small groups give fewer."""
    heldout_rows: int = 500
    """Rows for evaluation in all: 500 give a 95% interval of at most 4.4 points to either side."""
    heldout_fraction: float = 0.1
    """Share of the questions that are never trained on."""
    groups: tuple[DrillGroup, ...] = GROUPS
    topics: tuple[DrillTopic, ...] = ()
    """`ALL_TOPICS` names every one; their answers have several lines, and are too hard for a very small model."""
    files: tuple[BenchmarkFile, ...] = ()
    """Benchmarks whose exercises are refused, as Math401; luigi.cfg [benchmarks] says where each lies."""
    num_shards: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("train_rows", "heldout_rows", "num_shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"DrillsConfig.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.heldout_fraction < 1:
            raise ValueError(f"DrillsConfig.heldout_fraction must be between 0 and 1, got {self.heldout_fraction}")
        if not self.groups + self.topics:
            raise ValueError("DrillsConfig.groups must name at least one group, or topics a topic")
        check_names("DrillsConfig", (), self.files)


def augment_drills(
    out: Path,
    *,
    config: DrillsConfig,
    benchmark_files: BenchmarkFiles = BenchmarkFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Write drills for training to `kept/` and for evaluation to `heldout/`."""
    refused, counts = refused_expressions(config, benchmark_files), {}
    for folder, is_heldout, total in (("kept", False, config.train_rows), ("heldout", True, config.heldout_rows)):
        made = {
            row["id"]: row
            for sort, size in shares((*config.groups, *config.topics), total)
            for row in islice(_drills(sort, config, size, refused, is_heldout=is_heldout), size)
        }
        counts[folder] = len(made)
        for index, part in enumerate(rows.by_shard(made.values(), config.num_shards)):
            path = out / folder / shards.shard_name(index, config.num_shards)
            if not path.exists():
                shards.write(path, sorted(part, key=lambda row: str(row["id"])), records.PROBLEM)
    return {**counts, "rejected": 0}


def refused_expressions(config: DrillsConfig, files: BenchmarkFiles) -> frozenset[str]:
    """Give the canonical forms of the exercises in the config's benchmarks."""
    texts = (problem.question or problem.prompt for problem in load_all((), config.files, files))
    return frozenset(form for text in texts if (form := canonical_expression(text)) is not None)


def shares(sorts: Sequence[Sort], total: int) -> list[tuple[Sort, int]]:
    """Share out rows by weight; what rounding leaves goes to the first ones."""
    weight = sum(sort.weight for sort in sorts)
    sizes = [int(total * sort.weight / weight) for sort in sorts]
    rest = total - sum(sizes)
    return [(sort, size + (number < rest)) for number, (sort, size) in enumerate(zip(sorts, sizes, strict=True))]


def _drills(
    sort: Sort, config: DrillsConfig, size: int, refused: frozenset[str], *, is_heldout: bool
) -> Iterator[rows.Row]:
    """Yield distinct drills of a sort for one side."""
    side = "heldout" if is_heldout else "train"
    rng = rows.rng(config.seed, side, *sort.name)
    share = config.heldout_fraction if is_heldout else 1 - config.heldout_fraction
    seen: set[str] = set()
    for _ in range(int(size * _TRIES_PER_ROW / share)):
        drill = sort.drill(rng)
        if drill.question in seen or is_held_out(drill, config) != is_heldout:
            continue
        seen.add(drill.question)
        if not refused or canonical_expression(drill.question) not in refused:
            yield row_of(drill)


def is_held_out(drill: Drill, config: DrillsConfig) -> bool:
    """Decide the side of an exercise."""
    return int(rows.digest("side", config.seed, *drill.key)[:12], 16) < config.heldout_fraction * 16**12


def row_of(drill: Drill) -> rows.Row:
    """Make the row of an exercise."""
    return rows.problem(rows.DRILL, drill.question, drill.solution, drill.answer, source="drills", license=LICENSE)
