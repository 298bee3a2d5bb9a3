"""One program: run it as a script, question it as a candidate, or let its tests question it from a jail of their own.

Guarantees: the clock and the verdict are on this side of the wall. A fault of the machine is a WorkerFault, never an
Outcome. Costs: one process, two on the general path. Leaves out: which workers, and what to do after a fault
(sandbox.pool).
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
import time

from sandbox.languages import Build
from sandbox.literal import Check
from sandbox.program import Limits, Outcome, Program, Status
from sandbox.streams import Capture, Channel, memory_file
from sandbox.verdict import (
    Ending,
    explain,
    explain_tests,
    first_difference,
    hear,
    hear_who_was_late,
    order_of,
    question,
)
from sandbox.worker import Report, Worker


def execute(worker: Worker, program: Program, limits: Limits, build: Build | None = None) -> Outcome:
    """Run a script, or the commands of another language, and keep what it prints."""
    started = time.monotonic()
    capture = Capture(limits.output_bytes)
    stdin = memory_file(program.stdin.encode("utf-8", "surrogatepass")) if program.stdin else None
    try:
        text = program.source if build is None else build.text()
        worker.launch(text, limits, [stdin, *capture.ends], build=build)
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
    outcome = outcome_of(ending, report, limits, wall, texts)
    if program.expected_stdout is None or outcome.status is not Status.FINISHED:
        return outcome
    difference = first_difference(outcome.stdout, program.expected_stdout)
    status = Status.PASSED if difference is None else Status.FAILED
    return dataclasses.replace(outcome, status=status, detail=difference or "")


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
    return outcome_of(ending, report, limits, wall)


def judge_by_tests(worker: Worker, tester: Worker, program: Program, limits: Limits) -> Outcome:
    """Run a candidate on one worker and its tests on another, which ask it directly, and hear what the tests say."""
    started = time.monotonic()
    order = order_of(program, secrets.token_hex(16))
    mine, theirs = socket.socketpair()
    with mine:
        with theirs:
            answering, asking = socket.socketpair()
            with answering, asking:
                worker.launch(program.source, limits, [None, None, None, answering.fileno()])
                streams = [None, None, None, asking.fileno(), theirs.fileno()]
                tester.launch(program.tests or "", limits, streams, is_test=True)
        channel = Channel(mine, started + limits.wall_seconds)
        ending = hear(channel, order)
        wall = time.monotonic() - started
        report = worker.stop()
        if ending.status is Status.TIMEOUT:
            ending = hear_who_was_late(channel)
        tester_report = tester.stop()
        report = dataclasses.replace(report, waited_seconds=report.waited_seconds + tester_report.waited_seconds)
    if ending.is_of_tests:
        ending = explain_tests(ending, tester_report, limits)
    return outcome_of(ending, report, limits, wall)


def outcome_of(
    ending: Ending, report: Report, limits: Limits, wall: float, texts: tuple[str, str] = ("", "")
) -> Outcome:
    """What the caller gets to know."""
    (stdout, stderr), status, detail = texts, ending.status, ending.detail
    if status is not Status.PASSED:
        status, detail = explain(ending, report, limits, stderr)
    return Outcome(
        status=status,
        stdout=stdout,
        stderr=stderr,
        wall_seconds=wall,
        cpu_seconds=report.cpu_seconds,
        waited_seconds=report.waited_seconds,
        detail=detail,
    )
