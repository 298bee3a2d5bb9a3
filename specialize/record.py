"""What a training says of itself: `progress.jsonl`, the log, TensorBoard, and the line that the terminal shows.

Guarantees: `progress.jsonl` has one row a step, none twice, none torn, after any number of kills. TensorBoard gets the same
numbers, in files of its own a start. Rank 0 alone writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from corpora import progress

PROGRESS = "progress.jsonl"
TENSORBOARD = "tensorboard"
_SHOWN = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes", "mfu")
_GROUPS = ("losses", "heldout")
"""Values of a row that are tables by domain."""


class Record:
    """Rows of steps; entered where training begins, at the step it begins with."""

    def __init__(self, folder: Path, *, step: int, train_steps: int, writes: bool) -> None:
        self._path, self._step, self._train_steps, self._writes = folder / PROGRESS, step, train_steps, writes
        self._board: Any = None

    def __enter__(self) -> Record:
        if self._writes:
            from torch.utils.tensorboard import SummaryWriter

            truncate(self._path, self._step)
            self._board = SummaryWriter(str(self._path.with_name(TENSORBOARD)), purge_step=self._step + 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def write(self, row: dict[str, Any]) -> None:
        """Write a row; every hundredth of the way, and where something was measured or wrong, a line of the log too."""
        if not self._writes:
            return
        with self._path.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        step, total = row["step"], self._train_steps
        if step % max(1, total // 100) == 0 or "spike" in row or "heldout" in row:
            print(describe(row, total), flush=True)
        for name, value in scalars(row).items():
            self._board.add_scalar(name, value, step)
        progress.report(step, total, "steps", loss=round(row["loss"], 4), tokens_per_second=row["tokens_per_second"])


def describe(row: dict[str, Any], train_steps: int) -> str:
    """Say a row in a line.

    >>> describe({"step": 5, "loss": 1.25, "tokens_per_second": 1e4, "heldout": {"code": 0.9}}, 10)
    'step 5 of 10: loss 1.2500, 10,000 tokens/s, held-out bits per byte: code 0.9000'
    """
    parts = [f"loss {row['loss']:.4f}", f"{row['tokens_per_second']:,.0f} tokens/s"]
    if "mfu" in row:
        parts.append(f"MFU {row['mfu']:.1%}")
    if "spike" in row:
        rolled = f" to step {row['rolled_back_to']:,}" if "rolled_back_to" in row else ""
        parts.append(f"a spike: {row['spike'].replace('_', ' ')}{rolled}")
    if "heldout" in row:
        parts.append("held-out bits per byte: " + ", ".join(f"{name} {x:.4f}" for name, x in row["heldout"].items()))
    return f"step {row['step']:,} of {train_steps:,}: {', '.join(parts)}"


def scalars(row: dict[str, Any]) -> dict[str, float]:
    """Name the numbers of a row that are drawn over the steps."""
    plain = {name: float(row[name]) for name in _SHOWN if name in row}
    tables = {f"{group}/{name}": value for group in _GROUPS for name, value in row.get(group, {}).items()}
    return plain | tables


def truncate(path: Path, step: int) -> None:
    """Drop the rows after `step`, and one that was cut off: they will be written again."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text("".join(line for line in whole if json.loads(line)["step"] <= step))
    temporary.replace(path)
