"""A fitted scorer as two files: `model.npz` (weights) and `model.json` (everything else); nothing that runs when it is read.

A row of weights for all languages, and one for each language with a correction, in which both are already added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from corpora import SchemaError, shards
from corpora.quality import kernels
from corpora.quality.calibration import PLACES, Calibration
from corpora.quality.features import SIGNALS, Features, Floats, Scale, Shape

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
_BATCH_ROWS = 1024


@dataclass(frozen=True)
class Scores:
    """What the model says of texts, a value a text."""

    margins: Floats
    scores: Floats
    probabilities: Floats


@dataclass(frozen=True, kw_only=True)
class Model:
    """A scorer."""

    shape: Shape
    scale: Scale
    good: float
    languages: tuple[str, ...]
    """With weights of their own, in the order of the rows after the first."""
    weights: npt.NDArray[np.float32]
    calibrations: dict[str, Calibration]
    """By language; "" has that of all."""

    def rows_of(self, languages: Sequence[str]) -> npt.NDArray[np.int64]:
        """Choose the row of weights of each text."""
        places = {language: index for index, language in enumerate(self.languages, start=1)}
        return np.array([places.get(language, 0) for language in languages], np.int64)

    def score(self, texts: pa.ChunkedArray, languages: list[str]) -> Scores:
        """Score texts, some at a time."""
        from corpora.quality.features import measure

        parts = [np.zeros(0)]
        for start in range(0, len(languages), _BATCH_ROWS):
            some = languages[start : start + _BATCH_ROWS]
            parts.append(self.margins(measure(texts.slice(start, _BATCH_ROWS), some, self.shape), some))
        return self.calibrated(np.concatenate(parts), languages)

    def margins(self, features: Features, languages: Sequence[str]) -> Floats:
        """Weigh the features of each text."""
        out, offsets = np.zeros(len(features)), np.zeros(len(features))
        dense, which = self.scale.apply(features.signals), self.rows_of(languages)
        kernels.margins(
            features.firsts, features.found, dense, self.weights, which, self.shape.num_buckets, offsets, out
        )
        return np.round(out, PLACES)

    def calibrated(self, margins: Floats, languages: Sequence[str]) -> Scores:
        """Say what margins mean, by the curve of each text's language."""
        names = np.array([language if language in self.calibrations else "" for language in languages], np.str_)
        scores, probabilities = np.zeros(len(margins)), np.zeros(len(margins))
        for name in np.unique(names):
            among = names == name
            curve = self.calibrations[str(name)]
            scores[among], probabilities[among] = curve.score(margins[among]), curve.probability(margins[among])
        return Scores(margins, scores, probabilities)


def save(folder: Path, model: Model) -> None:
    """Write both files."""

    def write_weights(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            np.savez(stream, weights=model.weights)

    shards.replace(folder / "model.npz", write_weights)
    value = {
        "format": FORMAT,
        "shape": asdict(model.shape),
        "signals": list(SIGNALS),
        "scale": asdict(model.scale),
        "good": model.good,
        "languages": list(model.languages),
        "calibrations": {name: asdict(curve) for name, curve in model.calibrations.items()},
    }
    shards.write_json(folder / "model.json", value)


def load(folder: Path) -> Model:
    """Read both files; what does not fit together is refused."""
    value: dict[str, Any] = shards.read_json(folder / "model.json")
    try:
        if (value["format"], value["signals"]) != (FORMAT, list(SIGNALS)):
            raise SchemaError(f"{folder} has a quality model of another version; train it again")
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            weights = arrays["weights"]
        model = Model(
            shape=Shape(**value["shape"]),
            scale=Scale(*(tuple(value["scale"][name]) for name in ("means", "deviations"))),
            good=float(value["good"]),
            languages=tuple(value["languages"]),
            weights=weights,
            calibrations={
                name: Calibration(*(tuple(curve[field]) for field in ("margins", "scores", "probabilities")))
                for name, curve in value["calibrations"].items()
            },
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"{folder} is no readable quality model ({error}); train it again") from None
    wanted = (len(model.languages) + 1, model.shape.num_weights)
    if weights.dtype != np.float32 or weights.shape != wanted or not np.isfinite(weights).all():
        raise SchemaError(f"{folder}/model.npz has {weights.dtype} weights {weights.shape}, wanted float32 {wanted}")
    return model
