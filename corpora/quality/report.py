"""How good a scorer is: report.json, and the same to read in report.md.

Every figure is of labels that were judged by models without their fold; the calibration table is drawn with curves that
were fitted without the fold, too. Features are shown by the text that most often stands for their bucket.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora import kernels as words
from corpora import shards
from corpora.quality import calibration, fitting, kernels
from corpora.quality.config import FitConfig
from corpora.quality.features import SIGNALS, Floats, word_table
from corpora.quality.model import Model
from corpora.quality.page import page

if TYPE_CHECKING:
    import pyarrow as pa

ALL = "all languages"
_STRONGEST = 20
_HITS = 4096
"""Of wanted n-grams looked at in a text."""
_EXCERPT_LINES, _EXCERPT_CHARACTERS = 8, 100


def write_report(
    out: Path,
    table: pa.Table,
    data: fitting.Labelled,
    judged: fitting.Judged,
    model: Model,
    config: FitConfig,
    origin: dict[str, Any],
) -> dict[str, object]:
    """Write both files; give the figures of all languages."""
    scores, probabilities = _unseen(data, judged, config)
    names, counts = np.unique(data.languages, return_counts=True)
    by_count = [str(name) for _, name in sorted(zip((-counts).tolist(), names.tolist(), strict=True))]
    chosen = {ALL: np.ones(len(data.labels), np.bool_)} | {name: data.languages == name for name in by_count}
    figures = {
        name: _figures(among, judged, data, scores, probabilities, config) | _kind(name, data, judged, config)
        for name, among in chosen.items()
    }
    report: dict[str, Any] = {
        "labels": origin,
        "good": config.good,
        "languages": figures,
        "features": _features(table, model),
        "examples": _examples(table, judged, data, scores),
    }
    shards.write_json(out / "report.json", report)
    shards.replace(out / "report.md", lambda path: path.write_text(page(report), encoding="utf-8"))
    overall = {key: value for key, value in figures[ALL].items() if isinstance(value, int | float)}
    return {**overall, "languages": len(names), "corrected": list(judged.better)}


def _unseen(data: fitting.Labelled, judged: fitting.Judged, config: FitConfig) -> tuple[Floats, Floats]:
    """Calibrate every label by curves of the other folds."""
    scores, probabilities = np.zeros(len(data.labels)), np.zeros(len(data.labels))
    for fold in range(config.folds):
        curves = fitting.calibrations(data, judged, data.folds != fold, config)
        for name in np.unique(data.languages):
            rows = np.flatnonzero((data.folds == fold) & (data.languages == name))
            curve = curves.get(str(name), curves[""])
            scores[rows], probabilities[rows] = (
                curve.score(judged.chosen[rows]),
                curve.probability(judged.chosen[rows]),
            )
    return scores, probabilities


def _figures(
    among: fitting.Mask,
    judged: fitting.Judged,
    data: fitting.Labelled,
    scores: Floats,
    probabilities: Floats,
    config: FitConfig,
) -> dict[str, Any]:
    margins, labels = judged.chosen[among], data.labels[among]
    rows = calibration.table(margins, scores[among], probabilities[among], labels, config.good)
    error = calibration.calibration_error(rows)
    return {
        "count": int(among.sum()),
        "good_share": round(float((labels >= config.good).mean()), calibration.PLACES),
        "auc": _rounded(calibration.auc(margins, labels >= config.good)),
        "auc_shared": _rounded(calibration.auc(judged.shared[among], labels >= config.good)),
        "spearman": _rounded(calibration.spearman(margins, labels)),
        "calibration_error": error["probability"],
        "score_error": error["score"],
        "mean_absolute_error": round(float(np.abs(scores[among] - labels).mean()), calibration.PLACES),
        "calibration": rows,
    }


def _kind(name: str, data: fitting.Labelled, judged: fitting.Judged, config: FitConfig) -> dict[str, Any]:
    """Say which model and which curve judge a language."""
    own = name in fitting.own_languages(data.languages, config)
    return {} if name == ALL else {"model": "own" if name in judged.better else "shared", "own_calibration": own}


def _features(table: pa.Table, model: Model) -> dict[str, Any]:
    """List the strongest weights of every row of the model, best and worst."""
    num_buckets = model.shape.num_buckets
    found = {}
    for row, name in enumerate((ALL, *model.languages)):
        weights = model.weights[row].astype(np.float64)
        order = np.argsort(weights[:num_buckets], kind="stable")
        worst, best = order[:_STRONGEST], order[::-1][:_STRONGEST]
        spelled = _spellings(table, model, np.concatenate([best, worst]), None if name == ALL else name)
        found[name] = {
            "best": [_weighted(spelled, bucket, weights) for bucket in best.tolist() if bucket in spelled],
            "worst": [_weighted(spelled, bucket, weights) for bucket in worst.tolist() if bucket in spelled],
            "signals": {
                signal: round(float(weights[num_buckets + index]), calibration.PLACES)
                for index, signal in enumerate(SIGNALS)
            },
        }
    return found


def _weighted(spelled: dict[int, str], bucket: int, weights: Floats) -> list[Any]:
    return [spelled[bucket], round(float(weights[bucket]), calibration.PLACES)]


def _spellings(table: pa.Table, model: Model, wanted: Any, language: str | None) -> dict[int, str]:
    """Find the n-gram that most files have in each of the wanted buckets."""
    data, offsets = words.text_buffer(table["text"])
    marked, hits = np.zeros(model.shape.num_buckets, np.bool_), np.zeros((_HITS, 3), np.int64)
    marked[wanted] = True
    mask, bytes_of_words = np.uint64(model.shape.num_buckets - 1), word_table()
    spelling = bytes(byte or 32 for byte in bytes_of_words.tolist())
    counts: dict[int, Counter[str]] = {}
    for row, name in enumerate(table["language"].to_pylist()):
        if language not in (None, name):
            continue
        start, end = int(offsets[row]), int(min(offsets[row + 1], offsets[row] + model.shape.max_bytes))
        number = kernels.places(data, start, end, bytes_of_words, model.shape.longest, mask, marked, hits)
        spelled = {
            (bucket, _spell(data[first:last].tobytes(), spelling)) for bucket, first, last in hits[:number].tolist()
        }
        for bucket, gram in spelled:
            counts.setdefault(bucket, Counter())[gram] += 1
    return {bucket: max(sorted(grams), key=grams.__getitem__) for bucket, grams in counts.items()}


def _spell(gram: bytes, spelling: bytes) -> str:
    """Write an n-gram as words between single spaces."""
    return " ".join(gram[:80].translate(spelling).decode("utf-8", "replace").split())


def _examples(table: pa.Table, judged: fitting.Judged, data: fitting.Labelled, scores: Floats) -> list[dict[str, Any]]:
    """Show a file in the middle of each tenth."""
    order, found = np.argsort(judged.chosen, kind="stable"), []
    for part in np.array_split(order, 10):
        row = int(part[len(part) // 2])
        picked = {name: table[name][row].as_py() for name in ("repository", "path", "language")}
        excerpt = _excerpt(table["text"][row].as_py())
        found.append({**picked, "label": float(data.labels[row]), "score": float(scores[row]), "excerpt": excerpt})
    return found


def _excerpt(text: str) -> list[str]:
    """Give the first lines of a text, without what a terminal or a browser would act on."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:_EXCERPT_LINES]
    return ["".join(c if c.isprintable() else " " for c in line.expandtabs(4)[:_EXCERPT_CHARACTERS]) for line in lines]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, calibration.PLACES)
