"""What the page of a run says about data: the funnel with its reasons, licences and languages, tokens.

Counts come from the shards themselves (footers, and the few narrow columns named here), never from what a stage
claimed. Text is not read; its size is what the footer says of its column: bytes before compression, which leaves out
texts that a row group holds twice. Costs one pass over the columns `reason`, `license`, `language`, `repository` and
`split`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.report import StageRecord

_NOUNS = {"messages": "Conversations", "question": "Problems", "text": "Documents"}
"""The column that tells what a row is."""
_MAX_BARS = 10


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why rows were dropped, how many, and the first of them."""

    name: str
    count: int
    example: str
    value: float | None
    bound: float | None


@dataclass(frozen=True, kw_only=True)
class FunnelRow:
    """What went into one data stage and what became of it."""

    stage: StageRecord
    noun: str
    kept: int
    kept_bytes: int
    rejected: int
    reasons: tuple[Reason, ...]

    @property
    def entered(self) -> int:
        """Rows that the stage decided on."""
        return self.kept + self.rejected


@dataclass(frozen=True, kw_only=True)
class Track:
    """Stages that hand the same kind of row along, from the one that first made it."""

    noun: str
    rows: tuple[FunnelRow, ...]


@dataclass(frozen=True, kw_only=True)
class Makeup:
    """What the documents at the end of a track are made of."""

    stage: StageRecord
    documents: int
    repositories: int
    heldout: int
    bars: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """Title, and (name, documents) with the most frequent first."""


def funnel(stages: Sequence[StageRecord]) -> list[Track]:
    """Follow every kind of row through the stages that keep and reject it."""
    tracks: dict[str, list[FunnelRow]] = {}
    track_of: dict[str, str] = {}
    for stage in stages:
        if not _shards(stage.folder / "kept"):
            continue
        row = _funnel_row(stage)
        before = (track_of[key] for key in stage.manifest.get("inputs", {}).values() if key in track_of)
        track = next((key for key in before if tracks[key][0].noun == row.noun), stage.key)
        track_of[stage.key] = track
        tracks.setdefault(track, []).append(row)
    return [Track(noun=rows[0].noun, rows=tuple(rows)) for rows in tracks.values()]


def makeup(track: Track) -> Makeup | None:
    """Count licences and languages at the last stage of a track of documents."""
    last = track.rows[-1]
    names = ("language", "license", "repository", "split")
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for table in tables(last.stage.folder / "kept", names):
        for name in table.column_names:
            counts[name].update(_value_counts(table[name]))
    if not counts["license"] or not counts["language"]:
        return None
    return Makeup(
        stage=last.stage,
        documents=last.kept,
        repositories=len(counts["repository"]),
        heldout=counts["split"]["heldout"],
        bars=(("Languages", _bars(counts["language"])), ("Licences", _bars(counts["license"]))),
    )


def token_files(stages: Sequence[StageRecord]) -> list[tuple[StageRecord, dict[str, Any]]]:
    """List every `.bin/.idx` prefix that a Tokenize stage wrote, with its documents, tokens and bytes."""
    indexes = ((stage, _read_index(stage.folder)) for stage in stages)
    return [(stage, prefix) for stage, index in indexes for prefix in index.get("prefixes", ())]


def pack_files(stages: Sequence[StageRecord]) -> list[tuple[StageRecord, dict[str, Any]]]:
    """List the packs with their counts."""
    return [(stage, _read_index(stage.folder)) for stage in stages if (stage.folder / "packs.idx").exists()]


def _funnel_row(stage: StageRecord) -> FunnelRow:
    import pyarrow.parquet as pq

    footers = [pq.read_metadata(path) for path in _shards(stage.folder / "kept")]
    names = footers[0].schema.to_arrow_schema().names
    column = next((name for name in _NOUNS if name in names), "")
    reasons = _reasons(stage.folder / "rejected")
    return FunnelRow(
        stage=stage,
        noun=_NOUNS.get(column, "Rows"),
        kept=sum(footer.num_rows for footer in footers),
        kept_bytes=sum(_column_bytes(footer, column) for footer in footers),
        rejected=sum(reason.count for reason in reasons),
        reasons=reasons,
    )


def _column_bytes(footer: pa.parquet.FileMetaData, column: str) -> int:
    groups = [footer.row_group(index) for index in range(footer.num_row_groups)]
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] == column)


def _reasons(folder: Path) -> tuple[Reason, ...]:
    counts: Counter[str] = Counter()
    first: dict[str, dict[str, Any]] = {}
    for table in tables(folder, ("reason", "value", "bound", "repository", "path", "source", "id")):
        for name, count in _value_counts(table["reason"]).items():
            counts[name] += count
            first.setdefault(name, _first_row(table, name))
    return tuple(
        Reason(
            name=name,
            count=count,
            example=place(first[name]),
            value=first[name].get("value"),
            bound=first[name].get("bound"),
        )
        for name, count in counts.most_common()
    )


def _first_row(table: pa.Table, reason: str) -> dict[str, Any]:
    import pyarrow.compute as pc

    index = pc.index(pc.fill_null(table["reason"], "?"), reason).as_py()
    return table.slice(index, 1).to_pylist()[0]  # type: ignore[no-any-return]


def place(row: dict[str, Any]) -> str:
    """Name where a row comes from, or its id."""
    parts = [row[name] for name in ("repository", "path") if row.get(name)]
    return "/".join(parts) or row.get("id") or ""


def _value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    import pyarrow.compute as pc

    return {pair["values"] or "?": pair["counts"] for pair in pc.value_counts(column).to_pylist()}


def _bars(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    ranked = counts.most_common()
    rest = sum(count for _, count in ranked[_MAX_BARS:])
    others = ((f"{len(ranked) - _MAX_BARS} others", rest),) if rest else ()
    return (*ranked[:_MAX_BARS], *others)


def tables(folder: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Read the named columns, as far as they are there, shard by shard."""
    import pyarrow.parquet as pq

    for path in _shards(folder):
        present = set(pq.read_schema(path).names)
        yield pq.read_table(path, columns=[name for name in columns if name in present])


def _shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / "index.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
