"""Where labels come from: a Parquet file of the user's, or a teacher who is shown a sample of the corpus.

Both write `labels.parquet` (the beginning of each text with its label, 0 to 5) and `labels.json` (what they are).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, progress, records, shards
from corpora.engine import Engine
from corpora.quality.config import HIGHEST, FileLabels, TeacherLabels
from corpora.quality.train import LABELS, ORIGIN

if TYPE_CHECKING:
    from corpora.teacher import Reply, Request, Teacher

_FEW = 20
"""Replies before an unreadable share says anything."""


@dataclass(frozen=True)
class LabelFiles:
    """Files with labels on this machine: (name, path) from luigi.cfg [labels]."""

    files: tuple[tuple[str, str], ...] = ()

    def path(self, name: str) -> Path:
        """Find a file by its name; one that is not there is refused."""
        named = dict(self.files)
        if name not in named:
            raise ValueError(
                f"the recipe's labels are {name!r}; add a line to luigi.cfg [labels]: {name} = FILE.parquet"
            )
        path = Path(named[name]).expanduser()
        if not path.is_file():
            raise ValueError(f"luigi.cfg [labels] {name} = {named[name]}: no such file; correct the path")
        return path


def inventory(config: FileLabels, label_files: LabelFiles) -> dict[str, str]:
    """Digest the file of labels."""
    return {config.name: shards.sha256(label_files.path(config.name))}


def read_labels(
    out: Path, *, documents: Path, config: FileLabels, label_files: LabelFiles, engine: Engine
) -> dict[str, object]:
    """Read labels of a file: `text` and `language` beside `label`, or the `id` of a document of the corpus."""
    path = label_files.path(config.name)
    given = _read(path)
    rows = given if "text" in given[0] else _joined(given, documents, config.max_bytes, engine)
    if not rows:
        raise SchemaError(
            f"{path}: none of its {len(given)} ids is of a document of {documents}; is it of this corpus?"
        )
    origin = {"origin": f"file {config.name}", "max_bytes": config.max_bytes}
    counts = {"given": len(given), "unknown": len(given) - len(rows)}
    return _write(out, [_row(row, number, config.max_bytes) for number, row in enumerate(rows)], origin | counts)


def _joined(given: Sequence[dict[str, Any]], documents: Path, max_bytes: int, engine: Engine) -> list[dict[str, Any]]:
    """Give labels by id the texts of the corpus; an id that is not in it is left out."""
    texts = _look_up(documents, {row["id"] for row in given}, max_bytes, engine)
    return [row | texts[row["id"]] for row in given if row["id"] in texts]


def ask_teacher(
    out: Path, *, documents: Path, config: TeacherLabels, teacher: Teacher, engine: Engine
) -> dict[str, object]:
    """Let a teacher grade a sample of the training documents."""
    from corpora.quality import rubric, sample

    names = sample.choose(documents, engine, count=config.documents, seed=config.seed)
    found = _look_up(documents, set(names), config.max_bytes, engine)
    rows, unread = [], 0
    for done, (name, reply) in enumerate(zip(names, teacher.complete(_requests(names, found, config)), strict=True), 1):
        label = rubric.grade(reply.text)
        unread += label is None
        _check_read(unread, done, config, reply)
        if label is not None:
            rows.append({**found[name], "id": name, "label": label})
        progress.report(done, len(names), "labels")
    _check_read(unread, len(names) + _FEW, config, None)
    origin = {
        "origin": f"teacher {config.model}, rubric {rubric.VERSION}",
        "max_bytes": config.max_bytes,
        "unread": unread,
    }
    return _write(out, rows, origin)


def _requests(names: Sequence[str], found: dict[str, dict[str, Any]], config: TeacherLabels) -> Iterator[Request]:
    from corpora.quality import rubric
    from corpora.teacher import Request

    for name in names:
        row = found[name]
        messages = rubric.messages(row["path"] or "", row["language"], row["text"])
        yield Request(model=config.model, messages=messages, max_tokens=config.max_reply_tokens)


def _check_read(unread: int, done: int, config: TeacherLabels, reply: Reply | None) -> None:
    """Stop early where the teacher does not answer as asked."""
    if done >= _FEW and unread > config.max_unread * done:
        last = f", the last one {reply.text[:200]!r} ({reply.finish})" if reply else ""
        raise ValueError(
            f"{unread} of {done} replies of the teacher have no grade{last}; take another model, or raise "
            "TeacherLabels.max_reply_tokens or max_unread"
        )


def _read(path: Path) -> list[dict[str, Any]]:
    """Read a file of labels, every row checked; a bad one is refused with its number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(
            f"{path} is not a readable Parquet file ({error}); name another in luigi.cfg [labels]"
        ) from None
    columns = set(table.column_names)
    if "label" not in columns or not ({"text", "language"} <= columns or "id" in columns):
        raise SchemaError(
            f"{path} has the columns {', '.join(table.column_names)}; it needs label (0 to 5, or true and false), and "
            "either text and language or id"
        )
    rows: list[dict[str, Any]] = table.to_pylist()
    for number, row in enumerate(rows):
        if not isinstance(row["label"], int | float) or not 0 <= row["label"] <= HIGHEST:
            raise SchemaError(f"{path} has the label {row['label']!r} in row {number}; it must be 0 to {HIGHEST:g}")
        if isinstance(row["label"], bool):
            row["label"] = HIGHEST * row["label"]
        needed = ("text", "language") if "text" in columns else ("id",)
        if not all(isinstance(row[name], str) for name in needed):
            raise SchemaError(f"{path} lacks {' or '.join(needed)} in row {number}")
    if not rows:
        raise SchemaError(f"{path} has no rows")
    return rows


def _look_up(documents: Path, names: set[str], max_bytes: int, engine: Engine) -> dict[str, dict[str, Any]]:
    """Find documents by id: the beginnings of their texts, and what tells them."""
    found: dict[str, dict[str, Any]] = {}
    for part in engine.map_shards(_pick, shards.shard_paths(documents / "kept"), sorted(names), max_bytes):
        found |= {row.pop("id"): row for row in part}
    return found


def _pick(path: Path, names: list[str], max_bytes: int) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = shards.read(path, records.DOCUMENT, ["id", "repository", "path", "language", "text"])
    picked: list[dict[str, Any]] = table.filter(pc.is_in(table["id"], pa.array(names, pa.string()))).to_pylist()
    return [row | {"text": _beginning(row["text"], max_bytes)} for row in picked]


def _beginning(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def _row(row: dict[str, Any], number: int, max_bytes: int) -> dict[str, Any]:
    known = {name: row.get(name) or "" for name in ("repository", "path")}
    name = row.get("id") or f"row {number}"
    text = _beginning(row["text"], max_bytes)
    return {**known, "id": name, "language": row["language"], "text": text, "label": float(row["label"])}


def _write(out: Path, rows: list[dict[str, Any]], origin: dict[str, Any]) -> dict[str, object]:
    rows = sorted(rows, key=lambda row: str(row["id"]))
    shards.write(out / LABELS, rows, records.LABEL)
    shards.write_json(out / ORIGIN, origin)
    return {"labels": len(rows), **origin}
