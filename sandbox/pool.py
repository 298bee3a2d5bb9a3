"""run and run_many: programs through idle jails, each judged, faults of the machine kept apart from verdicts.

Guarantees: a WorkerFault is retried once on a fresh worker and then raised as SandboxUnavailable; Outcomes come in
the order of the programs, for any number of workers. Jails stay idle between calls and end with the process; a forked
copy of the process makes its own. Costs: 3 to 5 ms of CPU a program, 0.1 s a new worker.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakSet

from sandbox.judge import execute, judge
from sandbox.literal import Check, NotLiteral, parse_tests
from sandbox.program import Limits, Outcome, Program, SandboxUnavailable, Status
from sandbox.worker import Worker, WorkerFault

MAX_SOURCE = 4 << 20  # bytes of a program's text
_DEFAULT = Limits()


def run(program: Program, *, limits: Limits = _DEFAULT) -> Outcome:
    """Run one program; with tests, judge it. SandboxUnavailable when this machine cannot."""
    if len(program.source) > MAX_SOURCE:
        return Outcome(status=Status.COMPILE_ERROR, detail=f"the source is larger than {MAX_SOURCE} characters")
    checks: list[Check] = []
    if program.tests is not None:
        try:
            checks = parse_tests(program.tests, program.entry_point)
        except NotLiteral as reason:
            return Outcome(status=Status.NOT_SCORED, detail=str(reason))
    try:
        return _attempt(_POOL.take, program, checks, limits)
    except WorkerFault:
        pass  # an idle worker may have been killed long ago, or the machine is short of something for a moment
    try:
        return _attempt(_POOL.fresh, program, checks, limits)
    except WorkerFault as fault:
        cure = "look at the machine's memory, process count and load; the program was tried twice, on fresh workers"
        raise SandboxUnavailable(f"a worker failed twice: {fault}", cure) from fault


def run_many(programs: Sequence[Program], *, limits: Limits = _DEFAULT, workers: int = 1) -> list[Outcome]:
    """Run programs on so many jails at one time. Outcomes in the order of the programs."""
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if workers == 1:
        return [run(program, limits=limits) for program in programs]
    with ThreadPoolExecutor(workers, thread_name_prefix="sandbox") as threads:
        return list(threads.map(lambda program: run(program, limits=limits), programs))


def check() -> None:
    """Make a jail and see that it contains: SandboxUnavailable, with the step that failed, when it does not."""
    probes = {
        "keep the network away": "import socket; socket.create_connection(('1.1.1.1', 80), 1)",
        "keep the file system read-only": "open('/usr/probe', 'w')",
        "deny the mount interface": _MOUNT_PROBE,
    }
    for step, source in probes.items():
        outcome = run(Program(source=source))
        if outcome.status is not Status.CRASHED:
            raise SandboxUnavailable(f"cannot {step}: the probe {outcome.status.value}", "report this; do not use it")


_MOUNT_PROBE = """
import ctypes
if ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None):
    raise PermissionError
"""


def _attempt(get_worker: Callable[[], Worker], program: Program, checks: list[Check], limits: Limits) -> Outcome:
    worker = get_worker()
    try:
        outcome = judge(worker, program, checks, limits) if checks else execute(worker, program, limits)
    except BaseException:
        worker.close()
        raise
    _POOL.give(worker)
    return outcome


class _Pool:
    """Idle workers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: WeakSet[Worker] = WeakSet()

    def take(self) -> Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self.fresh()

    def fresh(self) -> Worker:
        worker = Worker()
        self._all.add(worker)
        return worker

    def give(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append(worker)

    def close(self) -> None:
        """End every idle worker."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def forget(self) -> None:
        """After a fork: these workers belong to the parent, and the lock may be held by a thread that is not here."""
        self._lock = threading.Lock()
        for worker in list(self._all):
            worker.forget()
        self._all.clear()
        self._idle = []


_POOL = _Pool()
atexit.register(_POOL.close)
os.register_at_fork(after_in_child=_POOL.forget)
