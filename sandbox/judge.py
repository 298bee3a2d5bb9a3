"""One program on one worker: run it as a script, or question it as a candidate, and say what became of it.

Guarantees: the clock and the verdict are on this side of the wall. A fault of the machine is a WorkerFault, never an
Outcome. Leaves out: which worker, and what to do after a fault (sandbox.pool).
"""

from __future__ import annotations

import os
import socket
import time

from sandbox.literal import Check
from sandbox.program import Limits, Outcome, Program, Status
from sandbox.streams import Capture, Channel, memory_file
from sandbox.verdict import Ending, explain, question
from sandbox.worker import Report, Worker


def execute(worker: Worker, program: Program, limits: Limits) -> Outcome:
    """Run a script and keep what it prints."""
    started = time.monotonic()
    capture = Capture(limits.output_bytes)
    stdin = memory_file(program.stdin.encode("utf-8", "surrogatepass")) if program.stdin else None
    try:
        worker.launch(program.source, limits, [stdin, *capture.ends])
        capture.close_ends()
        has_ended = capture.watch(worker.control, started + limits.wall_seconds)
        wall = time.monotonic() - started
        report = worker.stop()
        texts = capture.drain()
    finally:
        capture.close()
        if stdin is not None:
            os.close(stdin)
    if capture.is_over:
        ending = Ending(Status.OUTPUT, f"more than {limits.output_bytes} bytes")
    else:
        ending = Ending() if has_ended else Ending(Status.TIMEOUT, f"more than {limits.wall_seconds} s")
    return _outcome(ending, report, limits, wall, texts)


def judge(worker: Worker, program: Program, checks: list[Check], limits: Limits) -> Outcome:
    """Run a candidate, ask it call by call, and decide here."""
    started = time.monotonic()
    mine, theirs = socket.socketpair()
    with mine:
        with theirs:
            worker.launch(program.source, limits, [None, None, None, theirs.fileno()])
        ending = question(Channel(mine, started + limits.wall_seconds), checks)
        wall = time.monotonic() - started
        report = worker.stop()
    return _outcome(ending, report, limits, wall)


def _outcome(ending: Ending, report: Report, limits: Limits, wall: float, texts: tuple[str, str] = ("", "")) -> Outcome:
    (stdout, stderr), status, detail = texts, ending.status, ending.detail
    if status is not Status.PASSED:
        status, detail = explain(ending, report, limits, stderr)
    return Outcome(
        status=status,
        stdout=stdout,
        stderr=stderr,
        wall_seconds=wall,
        cpu_seconds=report.cpu_seconds,
        detail=detail,
    )
