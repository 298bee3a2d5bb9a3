"""Write verified problems as conversations: shards for the stages that follow, and a dataset with its card.

`kept/` and `data/train-*.parquet` hold the same rows: question and worked solution as two turns, with kind, verdict, evidence,
source and licence. The folder is one that `datasets.load_dataset(folder)` reads. Annotations are taken out of solutions,
so that a model learns to calculate in words; a program is asked for and given in a fence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import records, shards
from corpora.math import rows
from corpora.math.annotations import without_annotations

PROGRAM_PROMPT = "{question}\n\nWrite a Python program that prints the answer."
PROGRAM_REPLY = "```python\n{program}\n```"

_KINDS = {
    rows.SEED: "problem with its published solution; every step executed again, exactly",
    rows.RENUMBER: "the same with other numbers, carried through the solution by rules; every step executed again",
    rows.PROGRAM: "problem with a program for an answer; run in a sandbox, its output compared with the answer",
    rows.DRILL: "arithmetic question; recomputed",
}


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
    kinds: Counter[str] = Counter()
    licenses: dict[str, set[str]] = {}
    for path in paths:
        problems_ = rows.read(path)
        conversations = [conversation(row, config) for row in problems_]
        for target in _targets(out, path.name, filled):
            if not target.exists():
                shards.write(target, conversations, records.CONVERSATION)
        kinds.update(row["kind"] for row in problems_)
        for row in problems_:
            licenses.setdefault(row["kind"], set()).add(row["license"])
    text = card(config, kinds, licenses)
    shards.replace(out / "README.md", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return {"kept": sum(kinds.values()), "rejected": 0, "kinds": dict(sorted(kinds.items()))}


def _targets(out: Path, name: str, filled: Sequence[str]) -> list[Path]:
    """Name the files of one shard; an empty one is no data file, because `datasets` cannot read it."""
    kept = out / "kept" / name
    if name not in filled:
        return [kept]
    return [kept, out / "data" / f"train-{filled.index(name):05d}-of-{len(filled):05d}.parquet"]


def conversation(row: rows.Row, config: DatasetConfig) -> rows.Row:
    """Put a problem to the model."""
    question, reply = row["question"], row["solution"]
    if row["kind"] == rows.PROGRAM:
        question, reply = PROGRAM_PROMPT.format(question=question), PROGRAM_REPLY.format(program=reply)
    elif not config.keep_annotations:
        reply = without_annotations(reply)
    turns = [("system", config.system)] if config.system else []
    messages = [{"role": role, "content": text} for role, text in (*turns, ("user", question), ("assistant", reply))]
    columns = {name: row[name] for name in ("id", "kind", "verdict", "evidence", "source", "license")}
    return {**columns, "messages": messages, "tests": None}


def card(config: DatasetConfig, kinds: Mapping[str, int], licenses: Mapping[str, set[str]]) -> str:
    """Write the card: front matter that names the data files, and what each kind is."""
    names = sorted(set().union(*licenses.values()))
    table = [
        f"| {kind} | {kinds[kind]:,} | {text} | {', '.join(sorted(licenses[kind]))} |"
        for kind, text in _KINDS.items()
        if kinds.get(kind)
    ]
    return _CARD.format(
        name=config.name,
        licenses="\n".join(f"- {name.lower()}" for name in names) or "- other",
        table="\n".join(table),
        rows=f"{sum(kinds.values()):,}",
    )


_CARD = """---
pretty_name: {name}
license:
{licenses}
language:
- en
task_categories:
- text-generation
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---

# {name}

{rows} conversations, each with a verdict and the evidence for it. Every answer was recomputed before it was written here.

| kind | rows | what it is and how it was verified | licence |
|---|---|---|---|
{table}

`messages` holds the turns; `verdict` and `evidence` say how the answer was verified; `source` names the problem that a row
was made from. Problems come from the training split of GSM8K (Cobbe et al. 2021). No teacher model was used.

Left out: every row that shares 13 words in a row and most of its words with a question of the GSM8K test split, and every
row made here that does so when numbers are masked. Not shown: that a published solution suits its question, and that a
story stays sensible with other numbers.

```python
from datasets import load_dataset

dataset = load_dataset("path/to/this/folder", split="train")
```
"""
