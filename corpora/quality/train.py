"""Learn a scorer from labels, and say how good it is on labels that it did not see.

Labels are parted into folds by repository, so that a file is not judged by a model that knew its neighbours; every figure
of the report, and the calibration, is of such judgements. A matter of seconds for 10,000 labels.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import SchemaError, records, shards
from corpora.quality.config import HIGHEST, FitConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from corpora.quality.features import Integers

LABELS, ORIGIN = "labels.parquet", "labels.json"
_LEAST_LABELS = 100
_REPOSITORIES_A_FOLD = 4


def train_quality(out: Path, *, labels: Path, config: FitConfig) -> dict[str, object]:
    """Write model.npz, model.json, report.json and report.md."""
    import numpy as np

    from corpora.quality import features, fitting
    from corpora.quality.model import save
    from corpora.quality.report import write_report

    table, origin = shards.read(labels / LABELS, records.LABEL), shards.read_json(labels / ORIGIN)
    _check(table, labels / LABELS)
    languages = table["language"].to_pylist()
    shape = features.Shape(bucket_bits=config.bucket_bits, longest=config.longest, max_bytes=int(origin["max_bytes"]))
    found = features.measure(table["text"], languages, shape)
    scale = features.fit_scale(found.signals)
    data = fitting.Labelled(
        features=found,
        dense=scale.apply(found.signals),
        labels=table["label"].to_numpy(),
        languages=np.array(languages, np.str_),
        folds=fold_of(table, config.folds),
    )
    judged = fitting.judge(data, config)
    model = fitting.fit_model(data, judged, scale, shape, config)
    save(out, model)
    return write_report(out, table, data, judged, model, config, origin)


def _check(table: pa.Table, path: Path) -> None:
    labels = table["label"].to_numpy()
    if len(labels) < _LEAST_LABELS:
        raise SchemaError(f"{path} has {len(labels)} labels; a quality model needs {_LEAST_LABELS} at least")
    if not ((labels >= 0) & (labels <= HIGHEST)).all():
        raise SchemaError(f"{path} has labels outside 0 to {HIGHEST:g}")
    if labels.min() == labels.max():
        raise SchemaError(f"{path} has the label {labels[0]:g} alone; nothing can be learned from one label")


def fold_of(table: pa.Table, folds: int) -> Integers:
    """Part the labels by repository, or by file where there are too few repositories for that."""
    import numpy as np

    repositories, ids = table["repository"].to_pylist(), table["id"].to_pylist()
    keys = repositories if len({*repositories} - {""}) >= _REPOSITORIES_A_FOLD * folds else ids
    places = [_place(key or name) for key, name in zip(keys, ids, strict=True)]
    return np.array([place % folds for place in places], np.int64)


def _place(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big")
