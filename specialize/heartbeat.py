"""Signs of life of the ranks, and the name of the one that all others wait for.

In a training that is one collective after another, a rank that hangs stops all of them in the same call: every log ends alike,
and a collective's timeout names none. So each rank counts what it begins (a batch, a micro-batch, an update) and a thread writes
the count into a file of the shared folder. A rank that gets no further for `limit` seconds reads all files twice and names, in
this order: ranks whose file stands still (stopped, lost with its node), else those with the lowest count; then it exits.

Costs a small file a rank every few seconds. Clocks of machines are not compared. A rank that hangs inside a collective with all
others is not told apart from them.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

FOLDER = "ranks"
STALLED = 70
"""Exit code of a rank that waited too long."""
_Sign = dict[str, Any]


class Heartbeat:
    """Writes this rank's signs while it is entered, and ends the process when nothing goes on."""

    def __init__(self, folder: Path, *, rank: int, ranks: int, limit: float) -> None:
        self._folder, self._rank, self._ranks, self._limit = folder / FOLDER, rank, ranks, limit
        self._interval = min(5.0, limit / 4)
        self._count, self._doing, self._since, self._pulse = 0, "starting", time.monotonic(), 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def beat(self, doing: str) -> None:
        """Say what this rank begins to do; costs no more than an assignment."""
        self._count, self._doing, self._since = self._count + 1, doing, time.monotonic()

    def _watch(self) -> None:
        while not self._end.wait(self._interval):
            self._write()
            if time.monotonic() - self._since > self._limit:
                before = self._read()
                time.sleep(2.5 * self._interval)
                after = self._read()
                if time.monotonic() - self._since > self._limit:  # nothing went on meanwhile
                    print(message(before, after, own=self._rank, limit=self._limit), flush=True)
                    os._exit(STALLED)  # the main thread is in a collective that no exception reaches

    def _write(self) -> None:
        self._pulse += 1
        sign = {"pulse": self._pulse, "count": self._count, "doing": self._doing, "pid": os.getpid()}
        path = self._folder / f"{self._rank}.json"
        temporary = path.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps({**sign, "host": socket.gethostname()}))
            temporary.replace(path)
        except OSError:  # a full disk must stop the run where it writes its data, not here
            temporary.unlink(missing_ok=True)

    def _read(self) -> list[_Sign]:
        return [_read(self._folder / f"{rank}.json") for rank in range(self._ranks)]


def message(before: Sequence[_Sign], after: Sequence[_Sign], *, own: int, limit: float) -> str:
    """Name the ranks that the others wait for."""
    waiting = f"rank {own} got no further for {limit:g} s"
    still = [rank for rank, (a, b) in enumerate(zip(before, after, strict=True)) if a == b and rank != own]
    if still:
        names = "; ".join(f"{_name(rank, after[rank])} shows no sign of life" for rank in still)
        return f"training stalled: {names}; {waiting}. Look at that machine and process, then start again"
    least = min(sign.get("count", 0) for sign in after)
    behind = [rank for rank, sign in enumerate(after) if sign.get("count", 0) == least]
    if len(behind) == len(after):
        return (
            f"training stalled: all ranks are {after[own].get('doing')}; {waiting}. A collective or the network hangs"
        )
    names = "; ".join(_name(rank, after[rank]) for rank in behind)
    return f"training stalled, the others wait for {names}; {waiting}. Look at its log, then start again"


def _name(rank: int, sign: _Sign) -> str:
    if not sign:
        return f"rank {rank} (never seen)"
    return f"rank {rank} (process {sign['pid']} on {sign['host']}, last {sign['doing']})"


def _read(path: Path) -> _Sign:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
