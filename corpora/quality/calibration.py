"""What a margin means: the label to expect and the odds of a good one, by isotonic regression; and how well that holds.

Calibrated on margins that a model gave to labels it had not seen. Margins are put into bins of equal count first, so that a
lucky file at an end is not taken for a certainty; between the middles of bins the curve is straight, so order stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.quality.config import HIGHEST
from corpora.quality.features import Floats

_BINS = 40
_LEAST_IN_BIN = 20
_DECILES = 10
PLACES = 4
"""Decimals of what is written: the last bits differ from one processor to the next."""


@dataclass(frozen=True)
class Calibration:
    """A curve through (margin, expected label, probability of a good one)."""

    margins: tuple[float, ...]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def score(self, margins: Floats) -> Floats:
        """Give the expected labels."""
        return np.round(np.interp(margins, self.margins, self.scores), PLACES)

    def probability(self, margins: Floats) -> Floats:
        """Give the probabilities of a good label."""
        return np.round(np.interp(margins, self.margins, self.probabilities), PLACES)


def calibrate(margins: Floats, labels: Floats, good: float) -> Calibration:
    """Fit the curve on margins and the labels they were given for."""
    order = np.argsort(margins, kind="stable")
    count = max(1, min(_BINS, len(order) // _LEAST_IN_BIN))
    bins = [part for part in np.array_split(order, count) if len(part)]
    sizes = np.array([len(part) for part in bins], np.float64)
    middles = np.array([margins[part].mean() for part in bins])
    scores = isotonic(np.array([labels[part].mean() for part in bins]), sizes)
    probabilities = isotonic(np.array([(labels[part] >= good).mean() for part in bins]), sizes)
    return Calibration(*(tuple(np.round(values, 9).tolist()) for values in (middles, scores, probabilities)))


def isotonic(values: Floats, weights: Floats) -> Floats:
    """Give the rising sequence nearest to the values in weighted squares (pool adjacent violators).

    >>> isotonic(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavier, count = pools.pop()
            total = heavier + pool[1]
            pool = ((mean * heavier + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])


def auc(scores: Floats, good: npt.NDArray[np.bool_]) -> float | None:
    """Give the odds that a good one has more than a bad one, ties counted half (Mann and Whitney); None without both.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    positives = int(good.sum())
    negatives = len(good) - positives
    if not positives or not negatives:
        return None
    return float((ranks(scores)[good].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def spearman(first: Floats, second: Floats) -> float | None:
    """Correlate ranks; None where one of them does not vary.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    1.0
    """
    a, b = (ranks(values) - (len(values) + 1) / 2 for values in (first, second))
    spread = float((a * a).sum() * (b * b).sum()) ** 0.5
    return float((a * b).sum()) / spread if spread else None


def ranks(values: Floats) -> Floats:
    """Rank from 1, equal values by their mean rank.

    >>> ranks(np.array([10.0, 20.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[codes], np.float64)


def table(margins: Floats, scores: Floats, probabilities: Floats, labels: Floats, good: float) -> list[dict[str, Any]]:
    """Compare what was expected with what was observed, by decile of the margin."""
    order = np.argsort(margins, kind="stable")
    return [
        {
            "count": len(part),
            "expected_score": _mean(scores[part]),
            "observed_score": _mean(labels[part]),
            "expected_probability": _mean(probabilities[part]),
            "observed_probability": _mean((labels[part] >= good).astype(np.float64)),
        }
        for part in np.array_split(order, _DECILES)
        if len(part)
    ]


def calibration_error(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Average the distance between expected and observed, weighted by count; that of scores is over the highest label."""
    total = sum(row["count"] for row in rows) or 1
    gaps = {
        name: sum(row["count"] * abs(row[f"expected_{name}"] - row[f"observed_{name}"]) for row in rows) / total
        for name in ("score", "probability")
    }
    return {"score": round(gaps["score"] / HIGHEST, PLACES), "probability": round(gaps["probability"], PLACES)}


def _mean(values: Floats) -> float:
    return round(float(values.mean()), PLACES)
