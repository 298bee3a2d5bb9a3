"""Score every source file, and drop the worst where the recipe has a bound.

`scores/` has a row for each file that was scored, kept or not, so that another bound can be tried with one query, and a
blend can weigh by it. Quantiles are of the files of a language over all shards, from exact counts of the margins that
occur: memory does not grow with the number of files. What is no source file (text, commits, issues) stays unscored.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.engine import Engine
from corpora.quality.config import ScoreConfig

if TYPE_CHECKING:
    import pyarrow as pa

_STEP = 1e-3
"""Quantiles are found to this margin."""
Limits = dict[str, tuple[str, float]]
"""By language: the column of `scores/` that is asked, and the least it must be."""


def score_quality(out: Path, *, documents: Path, model: Path, config: ScoreConfig, engine: Engine) -> dict[str, object]:
    """Write scores/, kept/ and rejected/."""
    paths = shards.shard_paths(documents / "kept")
    counts = engine.map_shards(_score_shard, paths, out, model)
    limits = find_limits(counts, config)
    parts = engine.map_shards(_drop_shard, paths, out, limits)
    summary = sieve.total(out, parts)
    bounds = {language: {"measure": name, "least": least} for language, (name, least) in sorted(limits.items())}
    return {**summary, "scored": sum(sum(sum(c.values()) for c in part.values()) for part in counts), "bounds": bounds}


def find_limits(counts: list[dict[str, dict[str, int]]], config: ScoreConfig) -> Limits:
    """Turn the bounds into the least value of a column, by language; quantiles from the counts of margins."""
    total: dict[str, Counter[int]] = {}
    for part in counts:
        for language, found in part.items():
            total.setdefault(language, Counter()).update({int(step): count for step, count in found.items()})
    limits: Limits = {}
    for language, margins in sorted(total.items()):
        bound = config.bound_of(language)
        if bound is not None:
            by_rank = bound.measure == "quantile"
            limits[language] = ("margin", quantile(margins, bound.least)) if by_rank else (bound.measure, bound.least)
    return limits


def quantile(counts: Counter[int], share: float) -> float:
    """Find the margin below which at most a share of the files lies.

    >>> quantile(Counter({-1000: 1, 0: 2, 1000: 1}), 0.25)
    0.0
    """
    below, wanted = 0, share * sum(counts.values()) + 1e-9
    for step in sorted(counts):
        if below + counts[step] > wanted:
            return round(step * _STEP, 3)
        below += counts[step]
    return round((max(counts) + 1) * _STEP, 3)


def _score_shard(path: Path, out: Path, model: Path) -> dict[str, dict[str, int]]:
    """Score a shard; give how often each margin occurs in each language."""
    target = out / "scores" / path.name
    if not target.exists():
        table = shards.read(path, records.DOCUMENT, ["id", "text", "language", "domain"])
        shards.write(target, _scored(table, model), records.SCORE)
    found = shards.read(target, records.SCORE, ["language", "margin"])
    counts: dict[str, Counter[str]] = {}
    for language, margin in zip(*(found[name].to_pylist() for name in ("language", "margin")), strict=True):
        counts.setdefault(language, Counter())[str(_step(margin))] += 1
    return {language: dict(counter) for language, counter in counts.items()}


def _step(margin: float) -> int:
    import math

    return math.floor(margin / _STEP + 0.5)


def _scored(table: pa.Table, folder: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    from corpora.quality.model import load

    code = table.filter(pc.equal(table["domain"], records.CODE))
    found = load(folder).score(code["text"], code["language"].to_pylist())
    values = [code["id"], code["language"], found.margins, found.scores, found.probabilities]
    return pa.table(dict(zip(records.SCORE.names, values, strict=True)))


def _drop_shard(path: Path, out: Path, limits: Limits) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    scores = shards.read(out / "scores" / path.name, records.SCORE)
    by_id = {row["id"]: row for row in scores.to_pylist()} if limits else {}
    rejects = [
        sieve.Reject(row, "quality", value=found, bound=least, evidence=measure)
        for row, name in enumerate(table["id"].to_pylist())
        if name in by_id
        for measure, least, found in [_asked(by_id[name], limits)]
        if found < least
    ]
    return sieve.write(out, path.name, table, rejects, records.DOCUMENT)


def _asked(scores: dict[str, Any], limits: Limits) -> tuple[str, float, float]:
    """Give the measure that a file's language asks for, its bound, and the file's value; without one, what is never below."""
    measure, least = limits.get(scores["language"], ("score", 0.0))
    value = float(scores[measure])
    return measure, least, round(_step(value) * _STEP, 3) if measure == "margin" else value
