"""run and run_many: programs through idle jails, each judged, faults of the machine kept apart from verdicts.

Guarantees: a WorkerFault is retried once, on fresh workers, and then raised as SandboxUnavailable; a jail that died while
idle is replaced before it is used, and costs no retry. A program that ran out of wall time but had no core to run on is
run again, once, by itself, after the others. Outcomes come in the order of the programs, for any number of workers; the
source of the programs is read no further ahead than the workers need. However a call ends, by an exception of the
source, by a fault or by Ctrl-C, no program of it goes on. Jails stay idle between calls and end with the process; a forked
copy of the process makes its own. Costs: 3 to 5 ms of CPU a program, 0.3 to 0.5 of it in this process, whose threads share
one interpreter: above eight workers, spread the programs over processes, as the data engine does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from queue import SimpleQueue

from sandbox import polyglot
from sandbox.idle import IDLE
from sandbox.judge import execute, judge, judge_by_tests
from sandbox.kinds import Kind, kind_of
from sandbox.literal import Check, NotLiteral, NotTests, parse_tests
from sandbox.program import Limits, Outcome, Program, SandboxUnavailable, Status
from sandbox.signatures import NotPlain
from sandbox.worker import Worker, WorkerFault

MAX_SOURCE = 4 << 20  # characters of a program's text
AHEAD = 2  # programs taken from their source for each worker
STARVED_FRACTION = 0.2  # of the CPU time it asked for: the time-out of a program that got less is not believed at once
Progress = Callable[[int], object]
"""Told the number of programs that are done, in the thread of the caller."""
PROBES = {
    "keep the network away": "import socket; socket.create_connection(('1.1.1.1', 80), 1)",
    "keep the file system read-only": "open('/usr/probe', 'w')",
    "deny the mount interface": """
import ctypes
if ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None):
    raise PermissionError
""",
}
"""What a jail is for -> a program that crashes in one, because it may not do that."""
_DEFAULT = Limits()


def run(program: Program, *, limits: Limits = _DEFAULT) -> Outcome:
    """Run one program; with tests, judge it. SandboxUnavailable when this machine cannot."""
    return run_many([program], limits=limits)[0]


def run_many(
    programs: Iterable[Program], *, limits: Limits = _DEFAULT, workers: int = 1, progress: Progress | None = None
) -> list[Outcome]:
    """Run programs on so many jails at one time. Outcomes in the order of the programs."""
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    batch = _Batch(limits, progress)
    return batch.run_here(programs) if workers == 1 else batch.run_in_threads(programs, workers)


def check() -> None:
    """Make a jail and see that it contains: SandboxUnavailable, with the step that failed, when it does not."""
    for step in PROBES:
        probe(step)


def probe(step: str) -> None:
    """Try one thing that must not be possible in a jail."""
    outcome = run(Program(source=PROBES[step]))
    if outcome.status is not Status.CRASHED:
        raise SandboxUnavailable(f"cannot {step}: the probe {outcome.status.value}", "report this; do not use it")


class _Batch:
    """The programs of one call."""

    def __init__(self, limits: Limits, progress: Progress | None) -> None:
        self._limits = limits
        self._progress = progress
        self._crew = _Crew()
        self._outcomes: dict[int, Outcome] = {}
        self._starved: dict[int, Program] = {}
        self._asked: SimpleQueue[tuple[int, Program] | None] = SimpleQueue()
        self._answered: SimpleQueue[tuple[int, Program, Outcome | BaseException]] = SimpleQueue()

    def run_here(self, programs: Iterable[Program]) -> list[Outcome]:
        """One after the other."""
        for number, program in enumerate(programs):
            self._take_down(number, program, self._crew.run(program, self._limits))
        return self._in_order()

    def run_in_threads(self, programs: Iterable[Program], workers: int) -> list[Outcome]:
        """So many at one time. A thread only waits and compares, the work is done in the jails."""
        threads: list[threading.Thread] = []
        waiting = 0
        try:
            for number, program in enumerate(programs):
                if number < workers:
                    threads.append(threading.Thread(target=self._answer, name="sandbox", daemon=True))
                    threads[-1].start()
                if waiting == AHEAD * workers:
                    waiting -= self._collect()
                self._asked.put((number, program))
                waiting += 1
            while waiting:
                waiting -= self._collect()
        except BaseException:
            self._crew.end()
            raise
        finally:
            for _ in threads:
                self._asked.put(None)
            for thread in threads:
                thread.join()
        return self._in_order()

    def _answer(self) -> None:
        while (asked := self._asked.get()) is not None:
            try:
                answer: Outcome | BaseException = self._crew.run(asked[1], self._limits)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                answer = error
            self._answered.put((*asked, answer))

    def _collect(self) -> int:
        number, program, answer = self._answered.get()
        if isinstance(answer, BaseException):
            raise answer
        self._take_down(number, program, answer)
        return 1

    def _take_down(self, number: int, program: Program, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        if _is_starved(outcome):
            self._starved[number] = program
        elif self._progress:
            self._progress(len(self._outcomes) - len(self._starved))

    def _in_order(self) -> list[Outcome]:
        while self._starved:
            number, program = self._starved.popitem()
            self._outcomes[number] = self._crew.run(program, self._limits)
            if self._progress:
                self._progress(len(self._outcomes) - len(self._starved))
        return [self._outcomes[number] for number in range(len(self._outcomes))]


@lru_cache(maxsize=256)  # many candidates have the same tests
def _literal_checks(tests: str, entry_point: str | None) -> list[Check] | None:
    """None where the tests need a process of their own."""
    try:
        return parse_tests(tests, entry_point)
    except NotLiteral:
        return None


def _is_starved(outcome: Outcome) -> bool:
    asked = outcome.cpu_seconds + outcome.waited_seconds
    return outcome.status is Status.TIMEOUT and outcome.cpu_seconds < STARVED_FRACTION * asked


class _Crew:
    """The jails that one call uses, so that all can be ended at once."""

    def __init__(self) -> None:
        self._busy: set[Worker] = set()
        self._is_over = False

    def run(self, program: Program, limits: Limits) -> Outcome:
        """One program, with the retry after a fault."""
        if len(program.source) > MAX_SOURCE:
            return Outcome(status=Status.COMPILE_ERROR, detail=f"the source is larger than {MAX_SOURCE} characters")
        try:
            return self._attempt(program, limits, IDLE.take)
        except WorkerFault:
            if self._is_over:
                raise
        try:
            return self._attempt(program, limits, IDLE.fresh)
        except WorkerFault as fault:
            cure = "look at the machine's memory, process count and load; the program was tried twice, on fresh workers"
            raise SandboxUnavailable(f"a worker failed twice: {fault}", cure) from fault

    def _attempt(self, program: Program, limits: Limits, hire: Callable[[Kind], Worker]) -> Outcome:
        if program.language != "python":
            return self._attempt_build(program, limits, hire)
        if program.tests is None:
            with self._hired(hire, program.source) as worker:
                return execute(worker, program, limits)
        try:
            checks = _literal_checks(program.tests, program.entry_point)
        except NotTests as reason:
            return Outcome(status=Status.NOT_SCORED, detail=str(reason))
        with self._hired(hire, program.source) as worker:
            if checks is not None:
                outcome = judge(worker, program, checks, limits)
                if outcome.status is not Status.NOT_COMPARABLE:
                    return outcome  # else an object, which tests in a process of their own use by reference
            with self._hired(hire, program.tests + program.context) as tester:
                return judge_by_tests(worker, tester, program, limits)

    def _attempt_build(self, program: Program, limits: Limits, hire: Callable[[Kind], Worker]) -> Outcome:
        """Another language: the same with commands."""
        try:
            plan = polyglot.plan(program, limits)
        except NotPlain as reason:
            return Outcome(status=Status.NOT_COMPARABLE, detail=str(reason))
        with self._hired(hire, "") as worker:
            if plan.tests is None:
                return polyglot.explained(execute(worker, program, limits, plan.program))
            with self._hired(hire, "") as tester:
                return polyglot.explained(polyglot.judge(worker, tester, plan, limits))

    @contextmanager
    def _hired(self, hire: Callable[[Kind], Worker], text: str) -> Iterator[Worker]:
        worker = hire(kind_of(text))
        self._busy.add(worker)
        try:
            if self._is_over:
                raise WorkerFault("the call is over")
            yield worker
        except BaseException:
            worker.close()
            raise
        finally:
            self._busy.discard(worker)
        IDLE.give(worker)

    def end(self) -> None:
        """Kill what runs; what has not begun will not."""
        self._is_over = True
        for worker in list(self._busy):
            worker.kill()
