"""What a driver and its worker processes know of each other's end; any of them may be killed at any time.

A worker that loses its driver ends itself: it would write on into a folder that the next run has finished. A worker that ends
in the middle of a shard is known by the lock on a file with the shard's name, which the kernel frees. One that ends before it
has answered its driver for the first time would be waited for without end by Daft, so the driver looks for it.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_SECONDS = 0.2
"""Between two looks of a worker at whether its driver is alive."""
_GONE_SECONDS = 5.0
"""After which a child that ended and that nobody asked for is one that nobody will ask for."""
LOST = (
    "a worker process ended in the middle of {shards}: when the kernel's log says that memory ran out, set [engine] workers "
    "in luigi.cfg lower, or the recipe's num_shards higher; what is finished is kept, run the same command"
)
_NOT_STARTED = (
    "a worker process ended before it began: see above for its reason; without one, memory ran out: set [engine] workers "
    "in luigi.cfg lower; what is finished is kept, run the same command"
)


def end_with(driver: int) -> None:
    """End this process soon after the one that started it."""

    def look() -> None:
        while os.getppid() == driver:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


@contextmanager
def begun(folder: str, shard: str) -> Iterator[None]:
    """Hold a locked file with the name of the shard while this process works on it."""
    path = Path(folder, f"{os.getpid()}")
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(shard)
        stream.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def unfinished(folder: str) -> list[str]:
    """List the shards whose process has ended in the middle: nobody holds the lock on their file."""
    lost = []
    for path in sorted(Path(folder).iterdir()):
        with path.open() as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            lost.append(stream.read())
    return lost


@contextmanager
def watched() -> Iterator[None]:
    """End this process, with a message, when a child of it has ended and nobody takes note; what waits for it cannot be woken."""
    done = threading.Event()
    threading.Thread(target=_watch, args=(done, _ended()), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch(done: threading.Event, before: set[int]) -> None:
    seen: set[int] = set()
    while not done.wait(_GONE_SECONDS):
        now = _ended() - before
        if seen & now and not done.is_set():
            print(_NOT_STARTED, file=sys.stderr, flush=True)
            os._exit(1)
        seen = now


def _ended() -> set[int]:
    """List the children of this process that ended and were not asked for; none where there is no /proc."""
    found = set()
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(child) for child in path.read_text().split() if _is_zombie(int(child))}
        except OSError:  # the thread has ended
            continue
    return found


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
