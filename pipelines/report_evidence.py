"""What the page of a run says about what left: clusters of near duplicates, benchmarks that were found, what was redacted.

Read from the tables that the stages leave beside their shards (`clusters.parquet`, `ledger.parquet`, `redactions/`), by
their narrow columns; names of files come from the shards of the same stage, for the few that are shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.report_corpus import place, tables

if TYPE_CHECKING:
    from pipelines.report import StageRecord

CLUSTERS, LEDGER, REDACTIONS = "clusters.parquet", "ledger.parquet", "redactions"
SHOWN_CLUSTERS = 8
SHOWN_MEMBERS = 4
_SIZES = ((2, "2"), (3, "3"), (4, "4"), (9, "5 to 9"), (99, "10 to 99"))
"""Largest size of a bar, and its name."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Documents that are alike: how many, which one stayed, some of those that went."""

    size: int
    survivor: str
    removed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """The clusters of one stage."""

    stage: StageRecord
    clusters: int
    documents: int
    sizes: tuple[tuple[str, int], ...]
    """(members, clusters)."""
    largest: tuple[Cluster, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """How much of a benchmark one stage found."""

    stage: StageRecord
    benchmark: str
    problems: int
    items: int | None
    """Problems that were looked for; None where the stage does not say."""
    dropped: int
    """Rows that left because of it."""
    spared: int
    """Rows that hold some of it and stayed, with the reason in the ledger."""


def duplicates(stages: Sequence[StageRecord]) -> list[Duplicates]:
    """Sum up the clusters of every stage that has some."""
    return [found for stage in stages if stage.has(CLUSTERS) and (found := _duplicates(stage))]


def ledger(stages: Sequence[StageRecord]) -> list[Found]:
    """Count, for each stage and benchmark, its problems that were found and the rows that left."""
    return [row for stage in stages if stage.has(LEDGER) for row in _ledger(stage)]


def redactions(stages: Sequence[StageRecord]) -> list[tuple[StageRecord, tuple[tuple[str, int], ...]]]:
    """Count what was replaced, by kind."""
    found = []
    for stage in stages:
        counts: Counter[str] = Counter()
        for table in tables(stage.folder / REDACTIONS, ("kind",)):
            counts.update(table["kind"].to_pylist())
        if counts:
            found.append((stage, tuple(counts.most_common())))
    return found


def _duplicates(stage: StageRecord) -> Duplicates | None:
    rows = _read(stage.folder / CLUSTERS, ("id", "cluster", "survivor"))
    members: dict[str, list[str]] = defaultdict(list)
    survivors: dict[str, str] = {}
    for row in rows:
        members[row["cluster"]].append(row["id"])
        survivors[row["cluster"]] = row["survivor"]
    if not members:
        return None
    sizes = Counter(_size_name(len(ids)) for ids in members.values())
    largest = sorted(members, key=lambda name: (-len(members[name]), name))[:SHOWN_CLUSTERS]
    shown = {name: [one for one in members[name] if one != survivors[name]][:SHOWN_MEMBERS] for name in largest}
    names = _names(stage, {*(survivors[name] for name in largest), *(one for ids in shown.values() for one in ids)})
    return Duplicates(
        stage=stage,
        clusters=len(members),
        documents=len(rows),
        sizes=tuple((name, sizes[name]) for name in (*(name for _, name in _SIZES), _MORE) if sizes[name]),
        largest=tuple(
            Cluster(
                size=len(members[name]),
                survivor=names.get(survivors[name], survivors[name]),
                removed=tuple(names.get(one, one) for one in shown[name]),
            )
            for name in largest
        ),
    )


_MORE = "100 and more"


def _size_name(size: int) -> str:
    return next((name for largest, name in _SIZES if size <= largest), _MORE)


def _names(stage: StageRecord, ids: Collection[str]) -> dict[str, str]:
    """Look up where documents come from, among those that the stage kept and rejected."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, found = pa.array(sorted(ids), pa.string()), {}
    for folder in ("kept", "rejected"):
        for table in tables(stage.folder / folder, ("id", "repository", "path")):
            for row in table.filter(pc.is_in(table["id"], wanted)).to_pylist():
                found[row["id"]] = place(row)
    return found


def _ledger(stage: StageRecord) -> list[Found]:
    problems: dict[str, set[str]] = defaultdict(set)
    ids: dict[str, dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    for row in _read(stage.folder / LEDGER, ("id", "benchmark", "problem", "decision")):
        dropped = row["decision"].startswith("dropped")
        if dropped:
            problems[row["benchmark"]].add(row["problem"])
        ids[row["benchmark"]][dropped].add(row["id"])
    counted = (stage.manifest.get("metrics") or {}).get("benchmarks", {})
    return [
        Found(
            stage=stage,
            benchmark=name,
            problems=len(problems[name]),
            items=counted.get(name, {}).get("items"),
            dropped=len(ids[name][True]),
            spared=len(ids[name][False] - ids[name][True]),
        )
        for name in sorted({*ids, *counted})
    ]


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=list(columns)).to_pylist()  # type: ignore[no-any-return]
