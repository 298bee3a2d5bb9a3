"""Choose the documents that are labelled: as many of each language where there are, the same ones however they are sharded.

A language with fewer gives all it has and leaves its share to the others. Within a language those of least
digest(seed, id) are taken. Two passes: one counts, one gives the ids that may be among them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from corpora import records, shards
from corpora.engine import Engine

_MARGIN = 3.0
"""Candidates are this many times as many as are wanted, and some more: too few has odds of one in a billion."""
_SPARE = 40


def choose(documents: Path, engine: Engine, *, count: int, seed: int) -> list[str]:
    """Give the ids of the chosen training documents, in the order of their digest."""
    paths = shards.shard_paths(documents / "kept")
    counts: Counter[str] = Counter()
    for part in engine.map_shards(_count, paths):
        counts.update(part)
    wanted = shares(dict(counts), count)
    bounds = {name: min(1.0, (_MARGIN * wanted[name] + _SPARE) / counts[name]) for name in wanted}
    found = [tuple(row) for part in engine.map_shards(_candidates, paths, bounds, seed) for row in part]
    chosen, taken = [], Counter[str]()
    for digest, language, name in sorted(found):
        if taken[language] < wanted[language]:
            taken[language] += 1
            chosen.append((digest, name))
    return [name for _, name in sorted(chosen)]


def shares(counts: dict[str, int], total: int) -> dict[str, int]:
    """Part a total among languages as evenly as their counts allow.

    >>> shares({"C": 10, "Python": 100, "Go": 100}, 60)
    {'C': 10, 'Go': 25, 'Python': 25}
    """
    found: dict[str, int] = {}
    order = sorted(counts, key=lambda name: (counts[name], name))
    for index, name in enumerate(order):
        found[name] = min(counts[name], total // (len(order) - index))
        total -= found[name]
    return found


def _count(path: Path) -> dict[str, int]:
    return dict(Counter(language for _, language in _training(path)))


def _candidates(path: Path, bounds: dict[str, float], seed: int) -> list[tuple[str, str, str]]:
    rows = ((_digest(seed, name), language, name) for name, language in _training(path))
    return [row for row in rows if int(row[0], 16) <= bounds[row[1]] * 2**64]


def _training(path: Path) -> list[tuple[str, str]]:
    table = shards.read(path, records.DOCUMENT, ["id", "language", "domain", "split"])
    return [
        (row["id"], row["language"])
        for row in table.to_pylist()
        if row["domain"] == records.CODE and row["split"] == records.TRAIN
    ]


def _digest(seed: int, name: str) -> str:
    return hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).hexdigest()
