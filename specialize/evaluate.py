"""What both evaluations share: which problems are asked, how, and that every sample is kept.

How many problems are asked is the recipe's; which ones is digest(seed, id). Answers of one model to one suite are one file
under `parts/`, so that a killed evaluation goes on with the next; re-scoring the samples gives the same report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from corpora import progress, shards
from specialize.export import DTYPES

if TYPE_CHECKING:
    from specialize.generate import Exported

Sample = dict[str, Any]
"""One problem as it was asked and answered; `_COLUMNS` of it go to samples.parquet."""
_COLUMNS = ("model", "suite", "problem", "prompt", "reply", "program", "status", "tests", "gold")


class EvaluateConfig(Protocol):
    """What both configs have."""

    @property
    def dtype(self) -> str:
        """Say in what numbers weights are held: bfloat16 or float32."""
        ...


class LazyModel:
    """A model that is loaded when it is first asked: a resumed evaluation may need none."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self._folder, self._dtype = folder, dtype
        self._model: Exported | None = None

    def __call__(self) -> Exported:
        """Load the model, once."""
        from specialize.generate import Exported

        if self._model is None:
            self._model = Exported.load(self._folder, dtype=self._dtype)
        return self._model


def subset(rows: Sequence[Any], count: int, seed: int) -> list[Any]:
    """Choose `count` rows by digest(seed, id), in that order; a smaller count is a prefix of a larger one's."""

    def key(row: Any) -> str:
        identity = row["id"] if isinstance(row, dict) else row.id
        return hashlib.sha256(f"{seed}\n{identity}".encode()).hexdigest()

    return sorted(rows, key=key)[:count]


def ask(
    exported: Exported, prompts: Sequence[str], *, limit: int, batch_size: int, stops: Sequence[str], chat: bool
) -> list[str]:
    """Have a model answer: the turn of a user in ChatML, or a text that it continues."""
    from corpora.chat import encode_prompt
    from specialize.generate import complete

    tokenizer = exported.tokenizer
    if chat:
        ids = [encode_prompt([{"role": "user", "content": prompt}], tokenizer=tokenizer) for prompt in prompts]
    else:
        ids = tokenizer.encode_batch(prompts)
    return complete(exported, ids, max_new_tokens=limit, batch_size=batch_size, stops=stops)


def kept_samples(out: Path, model: str, suite: str, make: Callable[[], Sequence[Sample]]) -> list[Sample]:
    """Read the samples of a model and suite; make them where no earlier run did."""
    path = out / "parts" / f"{model}-{suite}.json"
    if not path.exists():
        shards.write_json(path, [{"model": model, "suite": suite, **sample} for sample in make()])
    return list(shards.read_json(path))


def write_report(out: Path, scores: dict[str, Any], config: EvaluateConfig) -> dict[str, object]:
    """Write report.json and samples.parquet."""
    import pyarrow as pa

    from specialize.config import to_plain

    rows = [row for path in sorted((out / "parts").glob("*.json")) for row in shards.read_json(path)]
    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    shards.write(out / "samples.parquet", [{name: row.get(name) for name in _COLUMNS} for row in rows], schema)
    report = {"models": scores, "settings": to_plain(config)}
    shards.write_json(out / "report.json", report)
    return report


def shower(done: int, total: int, model: str) -> Callable[[str], None]:
    """Make a function that shows what a model is asked now."""
    return lambda suite: progress.report(done, total, "models", now=f"{model}, {suite}")


def check(config: EvaluateConfig, least: int, *names: str) -> None:
    """Refuse a field below its least value, and a type that is not written."""
    name = type(config).__name__
    for field in names:
        if getattr(config, field) < least:
            raise ValueError(f"{name}.{field} must be at least {least}, got {getattr(config, field)}")
    if config.dtype not in DTYPES:
        raise ValueError(f"{name}.dtype must be one of {', '.join(DTYPES)}, got {config.dtype!r}")
