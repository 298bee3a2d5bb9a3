"""A program of another language with tests: the candidate in one jail, its tests in another, and what became of it.

Guarantees: PASSED is decided here, from the tests' process alone, which never had the candidate's text: it must end with
exit status 0 and have printed words of this run's own, or its harness's count. They speak through one socket; the tests
are compiled only when the candidate has compiled and is ready. Costs: two of every compiler and process of the language.
Leaves out: a candidate that recognises the tests by their calls, and tests that are themselves wrong.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import socket
import time
from dataclasses import dataclass, replace

from sandbox import toolchains
from sandbox.judge import outcome_of
from sandbox.languages import LANGUAGES, OTHER_SIDE_ENDED, Build, plain, split
from sandbox.program import Limits, Outcome, Program, Status
from sandbox.verdict import Ending
from sandbox.worker import Report, Worker


@dataclass(frozen=True)
class Plan:
    """What runs in which jail. `tests` is None for a program without tests."""

    program: Build
    tests: Build | None = None
    evidence: str = ""  # a pattern that the tests' output must have


def plan(program: Program, limits: Limits) -> Plan:
    """Prepare the language and divide the program. LanguageUnavailable; NotPlain where the tests cannot ask."""
    toolchain = toolchains.prepare(program.language)
    if program.tests is None:
        return Plan(plain(program, limits, toolchain))
    words = secrets.token_hex(16)
    candidate, tests = split(program, words, limits, toolchain)
    return Plan(candidate, tests, LANGUAGES[program.language].evidence.replace("{words}", words))


def judge(worker: Worker, tester: Worker, plan: Plan, limits: Limits) -> Outcome:
    """Run both halves of a plan, and decide."""
    assert plan.tests is not None
    started = time.monotonic()
    deadline = started + limits.wall_seconds
    mine, theirs = socket.socketpair()
    candidate, tests = _Output(limits), _Output(limits)
    told = None
    with mine, candidate, tests:
        with theirs:
            worker.launch(plan.program.text(), limits, [theirs.fileno(), *candidate.ends], build=plan.program)
        is_ready = _is_ready(mine, worker.control, deadline)
        if is_ready:
            tester.launch(plan.tests.text(), limits, [mine.fileno(), *tests.ends], build=plan.tests)
            mine.close()  # so that each side sees the other's end
            _wait(tester.control, deadline)
            told = tester.stop()
        wall = time.monotonic() - started
        report = worker.stop()
        seconds = report.cpu_seconds + (told.cpu_seconds if told else 0.0)
        report = replace(report, cpu_seconds=seconds)
        if told is not None:
            ending = _verdict(told, tests, plan.evidence, is_late=time.monotonic() > deadline)
        elif time.monotonic() > deadline:
            ending = Ending(Status.TIMEOUT, f"more than {limits.wall_seconds} s before the first call")
        else:
            ending = Ending(None, "it ended before the first call")
        if candidate.is_over and ending.status is not Status.PASSED:
            ending = Ending(Status.OUTPUT, f"more than {limits.output_bytes} bytes")
        return outcome_of(ending, report, limits, wall, candidate.texts())


def explained(outcome: Outcome) -> Outcome:
    """The same with the compiler's words, and with a runtime's own message that memory ran out taken for that."""
    if outcome.status is Status.COMPILE_ERROR and not outcome.detail.startswith(_OF_TESTS):
        return replace(outcome, detail=first_errors(outcome.stderr))
    if outcome.status is Status.CRASHED and _NO_MEMORY.search(outcome.stderr[-2000:]):
        return replace(outcome, status=Status.MEMORY)
    if outcome.status is Status.CRASHED and outcome.detail == outcome.stderr.strip().rpartition("\n")[2][:300]:
        return replace(outcome, detail=first_errors(outcome.stderr))
    return outcome


_OF_TESTS = "the tests do not compile against it"
_NO_MEMORY = re.compile(
    r"std::bad_alloc|memory allocation of \d+ bytes failed|heap out of memory|OutOfMemoryError|cannot allocate \d+ bytes"
    r"|runtime: out of memory"
)


def _is_ready(calls: socket.socket, control: socket.socket, deadline: float) -> bool:
    """Whether the candidate has compiled, started and said so."""
    poll = select.poll()
    poll.register(calls, select.POLLIN)
    poll.register(control, select.POLLIN)
    ready = dict(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
    return calls.fileno() in ready and calls.recv(1) == b"+"


def _wait(control: socket.socket, deadline: float) -> None:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.poll(max(0.0, deadline - time.monotonic()) * 1000)


def _verdict(told: Report, tests: _Output, evidence: str, *, is_late: bool) -> Ending:
    output, errors = tests.texts()
    if "S" in told.marks:
        return Ending(Status.COMPILE_ERROR, f"{_OF_TESTS}: {first_errors(errors)}")
    if told.status == 0 and re.search(evidence, output) and not (told.over_memory or told.over_cpu):
        return Ending(Status.PASSED)
    if is_late:
        return Ending(Status.TIMEOUT, "the tests did not end in time")
    if os.WIFEXITED(told.status) and os.WEXITSTATUS(told.status) == OTHER_SIDE_ENDED:
        return Ending(None, f"it ended before the last check: {errors.strip()[-200:]}")
    return Ending(Status.FAILED, first_errors(errors) or first_errors(output) or "the tests did not come to a good end")


_ERROR = re.compile(r"error|assert|panic|exception|fail|expected|actual|left:|right:", re.IGNORECASE)


def first_errors(text: str) -> str:
    r"""The lines that say most of what a compiler or a test harness printed.

    >>> first_errors("In file main.cpp:\nmain.cpp:1:2: error: expected ';'\n")
    "main.cpp:1:2: error: expected ';'"
    """
    lines = [line.strip() for line in text[:20000].splitlines() if line.strip()]
    return "; ".join(
        [line for line in lines if _ERROR.search(line) and not line.startswith("throw ")][:3] or lines[:1]
    )[:500]


class _Output:
    """Standard output and error of one jail, in memory files: nothing waits for a reader. RLIMIT_FSIZE bounds them."""

    def __init__(self, limits: Limits) -> None:
        self._cap = limits.output_bytes
        self.ends = [os.memfd_create(name, os.MFD_CLOEXEC) for name in ("output", "errors")]

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self.ends:
            os.close(end)

    @property
    def is_over(self) -> bool:
        """Whether either is longer than the limit."""
        return any(os.fstat(end).st_size > self._cap for end in self.ends)

    def texts(self) -> tuple[str, str]:
        """What was written, up to the limit."""
        output, errors = (os.pread(end, self._cap, 0).decode("utf-8", "replace") for end in self.ends)
        return output, errors
