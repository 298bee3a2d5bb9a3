"""The idle jails of this process, by kind.

Guarantees: what is taken is alive; all end with the process, and a forked copy of the process does not touch them.
Costs: as many jails stay as were ever in use at one time, each 10 to 60 MB. Leaves out: what to do when one fails
(sandbox.pool).
"""

from __future__ import annotations

import atexit
import os
import threading
from weakref import WeakSet

from sandbox.kinds import Kind
from sandbox.worker import Worker


class Idle:
    """Idle workers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Kind, list[Worker]] = {kind: [] for kind in Kind}
        self._all: WeakSet[Worker] = WeakSet()

    def take(self, kind: Kind) -> Worker:
        """An idle worker that is alive, else a new one."""
        while True:
            with self._lock:
                worker = self._idle[kind].pop() if self._idle[kind] else None
            if worker is None:
                return self.fresh(kind)
            if worker.is_silent():
                return worker
            worker.close()

    def fresh(self, kind: Kind) -> Worker:
        """A new worker."""
        worker = Worker(kind)
        self._all.add(worker)
        return worker

    def give(self, worker: Worker) -> None:
        """Keep a worker for later."""
        with self._lock:
            self._idle[worker.kind].append(worker)

    def close(self) -> None:
        """End every idle worker."""
        with self._lock:
            for workers in self._idle.values():
                while workers:
                    workers.pop().close()

    def forget(self) -> None:
        """After a fork: these workers belong to the parent, and the lock may be held by a thread that is not here."""
        self._lock = threading.Lock()
        for worker in list(self._all):
            worker.forget()
        self._all.clear()
        self._idle = {kind: [] for kind in Kind}


IDLE = Idle()
atexit.register(IDLE.close)
os.register_at_fork(after_in_child=IDLE.forget)
