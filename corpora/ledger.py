"""The ledger of decontamination: one row for each benchmark part that a row of training data holds, and what was decided.

`rule` says how it was found, `share` how much of the part, `offset` and `length` (characters of the searched text) where the
first unbroken stretch lies, and `ngram` the run that gave it away. A row with an empty `id` is a run that is ordinary code
here, and was not counted. The same columns serve documents, conversations and math problems.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora import records, shards

DROPPED = "dropped"
Row = dict[str, Any]


def write(out: Path, rows: Sequence[Row]) -> None:
    """Write the ledger of a stage; its order does not tell how the data was cut into shards."""
    order = ("id", "benchmark", "problem", "field", "rule", "ngram")
    shards.write(out / "ledger.parquet", sorted(rows, key=lambda row: [row[name] for name in order]), records.LEDGER)


def found(rows: Iterable[Row], items: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Say of each benchmark how many of its items were found, in how many rows of the data, and by which rule.

    `items` are the problems of each benchmark. Only what was dropped counts; an item that several rules found counts for
    each of them.
    """
    problems: dict[str, set[str]] = defaultdict(set)
    holders: dict[str, set[str]] = defaultdict(set)
    by_rule: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        if row["decision"].startswith(DROPPED):
            problems[row["benchmark"]].add(row["problem"])
            holders[row["benchmark"]].add(row["id"])
            by_rule[row["benchmark"]].add((row["rule"], row["problem"]))
    return {
        name: {
            "items": count,
            "found": len(problems[name]),
            "documents": len(holders[name]),
            "rules": dict(sorted(Counter(rule for rule, _ in by_rule[name]).items())),
        }
        for name, count in sorted(items.items())
    }
