"""How far a stage is: one small JSON file that whoever shows the run reads.

The runner names the file in the environment; without it `report` does nothing, so stage functions call it freely. At
most two writes a second. A write that is lost costs nothing: this is for the eye and is never read by another stage.
"""

import json
import os
import time
from pathlib import Path

PROGRESS_VARIABLE = "QWEN_SPECIALIZE_PROGRESS"
"""Environment variable with the path of the file; set by the runner for the process of a stage."""

_INTERVAL_SECONDS = 0.5
_last_write = 0.0


def report(done: float, total: float | None, unit: str, **fields: float | str) -> None:
    """Say that `done` of `total` units are finished; `fields` are shown beside it (loss=..., model=...)."""
    global _last_write
    target = os.environ.get(PROGRESS_VARIABLE)
    now = time.monotonic()
    if target is None or (now - _last_write < _INTERVAL_SECONDS and done != total):
        return
    _last_write = now
    path = Path(target)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps({"done": done, "total": total, "unit": unit, **fields}))
        temporary.replace(path)
    except OSError:  # a full disk must stop the stage where it writes its data, not here
        temporary.unlink(missing_ok=True)
