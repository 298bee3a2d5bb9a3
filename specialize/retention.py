"""Which checkpoints of a training stay: names, order and choice, without torch.

Guarantees: `step-N` is a whole checkpoint; the choice depends on what lies in the folder and on the config alone, so a resumed
run chooses as an unbroken one. The newest `keep_last` stay while the run lasts, those of `keep_every` and the best one for good.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from specialize.config import PretrainConfig, TrainConfig

CHECKPOINT = "checkpoint"
"""Folder of the weights inside a model's folder."""
STEPS = "steps"
"""Folder of the checkpoints of a training."""
PARTIAL = ".partial"
DAMAGED = ".damaged"
SUMS = "sums.json"
"""Inside a checkpoint: size and SHA-256 of each of its files, the kind of its optimizer, and held-out bits per byte if measured."""


def step_folder(folder: Path, step: int) -> Path:
    """Name the checkpoint of a step."""
    return folder / f"step-{step:09d}"


def steps_in(folder: Path) -> list[Path]:
    """List whole checkpoints, oldest first."""
    found = folder.glob("step-*") if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix not in {PARTIAL, DAMAGED})


def read_sums(path: Path) -> dict[str, Any]:
    """Read a checkpoint's `sums.json`; empty where it is missing or torn."""
    try:
        values = json.loads((path / SUMS).read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def best_step(folder: Path) -> tuple[float, Path] | None:
    """Find the checkpoint with the lowest held-out bits per byte; the earlier of equals."""
    measured = [(read_sums(path).get("bits_per_byte"), path) for path in steps_in(folder)]
    return min(((value, path) for value, path in measured if isinstance(value, float)), default=None)


def lasting(folder: Path, config: TrainConfig) -> set[Path]:
    """Choose what stays when the training is over."""
    kept = {path for path in steps_in(folder) if config.keep_every and _number(path) % config.keep_every == 0}
    best = best_step(folder) if isinstance(config, PretrainConfig) and config.keep_best else None
    return kept | ({best[1]} if best else set())


def prune(folder: Path, config: TrainConfig) -> None:
    """Remove all checkpoints but the newest and those that last."""
    steps = steps_in(folder)
    for path in set(steps[: -config.keep_last]) - lasting(folder, config):
        shutil.rmtree(path)


def remove_passing(folder: Path, config: TrainConfig) -> None:
    """At the end of a training, leave those checkpoints that last, and the folder only with them."""
    kept = lasting(folder, config)
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in set(folder.iterdir()) - kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _number(path: Path) -> int:
    return int(path.name.removeprefix("step-"))
