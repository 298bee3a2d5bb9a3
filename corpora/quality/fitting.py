"""From labelled texts to a model, and to a judgement of every label by a model that did not see it.

All languages teach one model. A language with labels enough teaches a correction on top of it, which stays where it lowers
the squared error on unseen labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora import progress
from corpora.quality import calibration, fit, kernels
from corpora.quality.config import HIGHEST, FitConfig
from corpora.quality.features import Features, Floats, Integers, Scale, Shape
from corpora.quality.model import Model

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """Measured texts with their labels, languages and folds."""

    features: Features
    dense: Floats
    """Standardised signals."""
    labels: Floats
    languages: npt.NDArray[np.str_]
    folds: Integers

    def of_language(self, name: str) -> tuple[Integers, Labelled]:
        """Give the rows of a language, and them alone."""
        rows = np.flatnonzero(self.languages == name)
        part = _take(self.features, rows)
        return rows, Labelled(part, self.dense[rows], self.labels[rows], self.languages[rows], self.folds[rows])


@dataclass(frozen=True)
class Judged:
    """Margins of labels by models that were fitted without their fold."""

    shared: Floats
    """By the model of all languages."""
    corrected: Floats
    """With the correction of the label's language, where it has one."""
    better: tuple[str, ...]
    """Languages whose correction lowers the error."""
    chosen: Floats
    """The better of the two, language by language."""


def judge(data: Labelled, config: FitConfig) -> Judged:
    """Give every label the margins of models that did not see it."""
    shared, corrected = np.zeros(len(data.labels)), np.zeros(len(data.labels))
    for fold in range(config.folds):
        rest = data.folds == fold
        margins, _ = _fit(data, ~rest, np.zeros(len(rest)), config)
        with_correction = margins.copy()
        for rows, added, _ in _corrections(data, ~rest, margins, config).values():
            with_correction[rows] = added
        shared[rest], corrected[rest] = margins[rest], with_correction[rest]
        progress.report(fold + 1, config.folds + 1, "fits")
    better = tuple(
        name
        for name in own_languages(data.languages, config)
        if _error(corrected, data, name) < _error(shared, data, name)
    )
    return Judged(shared, corrected, better, np.where(np.isin(data.languages, better), corrected, shared))


def fit_model(data: Labelled, judged: Judged, scale: Scale, shape: Shape, config: FitConfig) -> Model:
    """Fit on all labels; what a margin means is learned from those of the folds."""
    everything = np.ones(len(data.labels), np.bool_)
    margins, shared = _fit(data, everything, np.zeros(len(everything)), config)
    found = _corrections(data, everything, margins, config)
    own = [shared + found[name][2] for name in judged.better]
    return Model(
        shape=shape,
        scale=scale,
        good=config.good,
        languages=judged.better,
        weights=np.stack([shared, *own]).astype(np.float32),
        calibrations=calibrations(data, judged, everything, config),
    )


def calibrations(data: Labelled, judged: Judged, among: Mask, config: FitConfig) -> dict[str, calibration.Calibration]:
    """Calibrate on some labels: for all languages, and for each that has labels enough."""
    chosen = {"": among} | {name: among & (data.languages == name) for name in own_languages(data.languages, config)}
    return {
        name: calibration.calibrate(judged.chosen[some], data.labels[some], config.good)
        for name, some in chosen.items()
        if not name or some.sum() >= config.min_labels // 2
    }


def own_languages(languages: npt.NDArray[np.str_], config: FitConfig) -> list[str]:
    """List the languages with labels enough for themselves."""
    names, counts = np.unique(languages, return_counts=True)
    return [str(name) for name, count in zip(names, counts, strict=True) if count >= config.min_labels]


def _corrections(
    data: Labelled, among: Mask, margins: Floats, config: FitConfig
) -> dict[str, tuple[Integers, Floats, Floats]]:
    """Fit what each language with labels enough adds to the model of all: rows, margins and weights by language."""
    found = {}
    for name in own_languages(data.languages, config):
        rows, part = data.of_language(name)
        if among[rows].any():
            found[name] = (rows, *_fit(part, among[rows], margins[rows], config))
    return found


def _fit(data: Labelled, among: Mask, offsets: Floats, config: FitConfig) -> tuple[Floats, Floats]:
    """Fit weights on some labels; give the margins of all, and the weights."""
    rows, targets = np.flatnonzero(among), data.labels / HIGHEST
    loss = fit.Loss(data.features, data.dense, rows, targets, offsets, config.penalty / len(rows))
    num_weights = (1 << config.bucket_bits) + data.dense.shape[1] + 1
    weights = fit.minimize(loss, num_weights, config.iterations)
    return loss.margins(weights), weights


def _error(margins: Floats, data: Labelled, name: str) -> float:
    among = data.languages == name
    expected = np.array([kernels.sigmoid(value) for value in margins[among].tolist()])
    return float(((expected - data.labels[among] / HIGHEST) ** 2).mean())


def _take(features: Features, rows: Sequence[int] | Integers) -> Features:
    """Give the features of some texts."""
    spans = [features.found[features.firsts[row] : features.firsts[row + 1]] for row in rows]
    firsts = np.concatenate([[0], np.cumsum([len(span) for span in spans])]).astype(np.int64)
    return Features(firsts, np.concatenate([np.zeros(0, np.int32), *spans]), features.signals[rows])
