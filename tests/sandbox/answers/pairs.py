"""Read the labelled table: pairs of gold and predicted answer, and replies with the answer that they name.

Both come in two parts, split by gold. `dev` is for tuning; `heldout` is read by the last report only. README.md beside this
file says how the labels were made and what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
Part = Literal["dev", "heldout"]
Label = Literal["equal", "different", "undecidable-ok"]
PARTS: tuple[Part, ...] = ("dev", "heldout")
LABELS: tuple[Label, ...] = ("equal", "different", "undecidable-ok")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A gold answer and a predicted one, and whether the prediction is right."""

    id: str
    gold: str
    predicted: str
    label: Label
    category: str
    source: str
    group: str
    """Pairs of one gold share it, and so share a part."""
    question: str | None = None
    """Given where the label depends on it."""
    tolerance: float | None = None
    """Absolute; None compares exactly."""


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """A whole reply and the answer that it names under a style; None where it names none."""

    id: str
    style: str
    reply: str
    expected: str | None
    source: str
    question: str | None = None
    gold: str | None = None


def read_pairs(part: Part) -> list[Pair]:
    """Read the pairs of a part."""
    return [Pair(**row) for row in _rows(HERE / f"pairs_{part}.jsonl")]


def read_extractions(part: Part) -> list[Extraction]:
    """Read the replies of a part."""
    return [Extraction(**row) for row in _rows(HERE / f"extractions_{part}.jsonl")]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:  # by line feed only: a reply may hold other line separators
        yield from map(json.loads, lines)
