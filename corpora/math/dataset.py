"""Write verified problems as conversations: shards for the stages that follow, and a dataset with its card.

`kept/` and `data/train-*.parquet` hold the same rows: question and worked solution as two turns, with kind, verdict, evidence,
source and licence. The folder is one that `datasets.load_dataset(folder)` reads. Annotations are taken out of solutions,
so that a model learns to calculate in words; a program is asked for and given in a fence; what an executor printed in the
middle of a solution is a message of its own, which is not learned. The card: `card.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import records, shards
from corpora.math import card, rows, tools
from corpora.math.annotations import without_annotations
from corpora.math.teacher import labels

PROGRAM_PROMPT = "{question}\n\nWrite a Python program that prints the answer."
PROGRAM_REPLY = "```python\n{program}\n```"


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """How problems are put to the model."""

    name: str = "Verified grade-school mathematics"
    """Title of the card."""
    system: str = ""
    """System turn of every conversation; empty leaves it out: it costs some 20 tokens a row and is not learned."""
    keep_annotations: bool = False
    """Leave the calculations, `<<48/2=24>>`, in the solutions."""

    def __post_init__(self) -> None:
        if not self.name.strip() or "\n" in self.name:
            raise ValueError(f"DatasetConfig.name must be one line of text, got {self.name!r}")


def write_dataset(out: Path, *, problems: Path, config: DatasetConfig) -> dict[str, object]:
    """Write conversations, data files and card."""
    paths = shards.shard_paths(problems / "kept")
    filled = [path.name for path in paths if shards.num_rows(path)]
    summary = card.Summary()
    for path in paths:
        problems_ = rows.read(path)
        conversations = [conversation(row, config) for row in problems_]
        for target in _targets(out, path.name, filled):
            if not target.exists():
                shards.write(target, conversations, records.CONVERSATION)
        for row in problems_:
            summary.add(row)
    text = card.render(config.name, summary, problems)
    shards.replace(out / "README.md", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return {"kept": summary.rows, "rejected": 0, **summary.metrics()}


def _targets(out: Path, name: str, filled: Sequence[str]) -> list[Path]:
    """Name the files of one shard; an empty one is no data file, because `datasets` cannot read it."""
    kept = out / "kept" / name
    if name not in filled:
        return [kept]
    return [kept, out / "data" / f"train-{filled.index(name):05d}-of-{len(filled):05d}.parquet"]


def conversation(row: rows.Row, config: DatasetConfig) -> rows.Row:
    """Put a problem to the model."""
    question, replies = _TURNS.get(row["kind"], _words)(row, config)
    system = [{"role": "system", "content": config.system}] if config.system else []
    columns = {name: row[name] for name in ("id", "kind", "verdict", "evidence", "source", "license")}
    return {**columns, "messages": [*system, {"role": "user", "content": question}, *replies], "tests": None}


Turns = tuple[str, list[dict[str, str]]]
"""What is asked, and the messages that answer it."""


def _words(row: rows.Row, config: DatasetConfig) -> Turns:
    reply = row["solution"] if config.keep_annotations else without_annotations(row["solution"])
    return row["question"], [{"role": "assistant", "content": reply}]


def _program(row: rows.Row, _config: DatasetConfig) -> Turns:
    reply = PROGRAM_REPLY.format(program=row["solution"])
    return PROGRAM_PROMPT.format(question=row["question"]), [{"role": "assistant", "content": reply}]


def _tools(row: rows.Row, _config: DatasetConfig) -> Turns:
    return row["question"], tools.messages(row["solution"])


_TURNS: dict[str, Callable[[rows.Row, DatasetConfig], Turns]] = {
    rows.PROGRAM: _program,
    labels.SAMPLED: _program,
    rows.TOOLS: _tools,
}
"""Kinds that are not put as question and solution in words."""
