"""The line of a running stage: redrawn in place on a terminal, printed now and then into a log."""

import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from corpora.progress import PROGRESS_VARIABLE

if TYPE_CHECKING:
    from rich.console import Console

_TERMINAL_SECONDS = 0.5
_LOG_SECONDS = 30.0
_TABLE_COLUMNS = 140


class StageLine:
    """Shows how far a stage is, from the progress file that its process writes."""

    def __init__(self, label: str, progress: Path) -> None:
        self._label = label
        self._progress = progress
        self._started = time.monotonic()
        self._shown = self._started
        self._live = sys.stderr.isatty()

    def __enter__(self) -> "StageLine":
        self._progress.unlink(missing_ok=True)
        if not self._live:
            self._print("started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._print(f"failed after {duration(time.monotonic() - self._started)}")

    def environment(self) -> dict[str, str]:
        """Make the environment of the stage's process: ours, and where to write its progress."""
        return {**os.environ, PROGRESS_VARIABLE: str(self._progress)}

    def show(self) -> None:
        """Show the progress when it is time to."""
        now = time.monotonic()
        if now - self._shown < (_TERMINAL_SECONDS if self._live else _LOG_SECONDS):
            return
        self._shown = now
        self._print(describe(read_progress(self._progress), now - self._started), end="" if self._live else "\n")

    def done(self) -> None:
        """Say that the stage is complete."""
        self._print(f"done in {duration(time.monotonic() - self._started)}")

    def _print(self, text: str, end: str = "\n") -> None:
        start = "\r\x1b[2K" if self._live else ""
        print(
            f"{start}[{time.strftime('%H:%M:%S')}] {self._label}  {text}",
            end=end,
            file=sys.stderr,
            flush=True,
        )


def wide_console() -> "Console":
    """Make a console for tables: as wide as the terminal, or wide enough for any table where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_TABLE_COLUMNS)


def read_progress(path: Path) -> dict[str, Any]:
    """Read the progress file; nothing yet is an empty record."""
    try:
        return json.loads(path.read_text())  # type: ignore[no-any-return]
    except (OSError, json.JSONDecodeError):
        return {}


def describe(progress: dict[str, Any], seconds: float) -> str:
    """Say in a few words how far it is and how long it may take.

    >>> describe({"done": 12, "total": 48, "unit": "steps", "loss": 1.234}, 60.0)
    '12/48 steps  loss 1.234  1m00s, 3m00s left'
    """
    if not progress:
        return duration(seconds)
    done, total = progress["done"], progress["total"]
    count = f"{_number(done)}/{_number(total)}" if total else _number(done)
    fields = [f"{name} {_number(value)}" for name, value in progress.items() if name not in ("done", "total", "unit")]
    left = f", {duration(seconds * (total - done) / done)} left" if total and 0 < done < total else ""
    return "  ".join([f"{count} {progress['unit']}", *fields, duration(seconds) + left])


def duration(seconds: float) -> str:
    """Write a duration as a person reads it.

    >>> [duration(s) for s in (0.42, 9.5, 75, 4000)]
    ['0.4s', '9.5s', '1m15s', '1h06m']
    """
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
