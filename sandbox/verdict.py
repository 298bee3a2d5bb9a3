"""The verdict: what a candidate answers, held against tests it never sees; and doctests as such tests.

Guarantees: it is reached outside the candidate's process, on plain values: here, or by tests in a process of their own
that say so with a word the candidate never hears. PASSED needs every check evaluated and true, and nothing else that
happens can lead to it. Costs: one exchange a call. Calls go one at a time, so a candidate that has not answered one does
not know the next.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import itertools
import json
import marshal
import os
import signal
from dataclasses import dataclass
from typing import Any

from sandbox.entry import entry_of
from sandbox.literal import Check, NotLiteral, NotTests, parse_tests
from sandbox.program import Limits, Program, Status
from sandbox.remote_tester import END, LOST, NO_FRAME, NOT_RUN, USED
from sandbox.streams import Channel, Deadline, Gone
from sandbox.values import BadValue, NotComparable, unpack
from sandbox.worker import Report

LATE_SECONDS = 1.0  # for a process that waits to see that what it waits for has died


class _CandidateRaised(Exception):
    """A call, or the candidate's module itself, ended in an exception."""


@dataclass(frozen=True)
class Ending:
    """What the trusted side saw, before it asked how the process ended."""

    status: Status | None = None  # None: the wait status decides
    detail: str = ""  # empty with None: it may have finished well
    is_of_tests: bool = False  # it was their process that stopped talking


def question(channel: Channel, checks: list[Check]) -> Ending:
    """PASSED only when every check was evaluated, here, and held."""

    def call(name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        channel.send(marshal.dumps((name, arguments, keywords), 4))
        return _answer(channel.receive())

    at: Check | None = None
    try:
        _answer(channel.receive())
        for at in checks:
            if not at.holds(call):
                return Ending(Status.FAILED, at.text)
    except _CandidateRaised as error:
        status = Status.MEMORY if _is_memory_error(str(error)) else Status.CRASHED
        return Ending(status, f"{error} in: {at.text}" if at else str(error))
    except Deadline:
        return Ending(Status.TIMEOUT, f"no answer in time to: {_text(at)}")
    except Gone:
        return Ending(None, f"it ended before it answered: {_text(at)}")
    except NotComparable as reason:
        return Ending(Status.NOT_COMPARABLE, f"{reason} in: {_text(at)}")
    except (BadValue, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        return Ending(Status.FAILED, f"{error!r:.200} in: {_text(at)}")
    return Ending(Status.PASSED)


def _text(at: Check | None) -> str:
    return at.text if at else ""


def order_of(program: Program, nonce: str) -> dict[str, Any]:
    """What the tests' process has to know beside their text."""
    entry = entry_of(program.tests or "", program.entry_point)
    return {
        "nonce": nonce,
        "entry_point": entry.name,
        "is_given_to_check": entry.is_given_to_check,
        "context": program.context,
    }


def hear(tester: Channel, order: dict[str, Any]) -> Ending:
    """What the tests' process says of the candidate and of the tests. TIMEOUT: see hear_who_was_late."""
    is_used = False
    try:
        tester.send(marshal.dumps(order, 4))
        word = tester.receive()
        if word == USED:
            is_used = True
            word = tester.receive()
        return _told(word, order["nonce"])
    except Deadline:
        return Ending(Status.TIMEOUT)
    except Gone:
        return Ending(None if is_used else Status.NOT_SCORED, "ended before the last check", is_of_tests=True)
    except BadValue as error:
        return Ending(Status.FAILED, str(error), is_of_tests=True)


def hear_who_was_late(tester: Channel) -> Ending:
    """After the deadline, with the candidate dead: tests that waited for it say that it has gone, others were late."""
    tester.extend(LATE_SECONDS)
    is_of_tests = True
    with contextlib.suppress(Deadline, Gone, BadValue):
        word = tester.receive()
        if word == USED:
            word = tester.receive()
        is_of_tests = word != LOST
    return Ending(Status.TIMEOUT, "not ended in time" if is_of_tests else "no answer in time", is_of_tests)


_TOLD = frozenset({"passed", "failed", "crashed", "memory", "not_comparable", "not_scored"})


def _told(word: bytes, nonce: str) -> Ending:
    """The last word of the tests' process."""
    kind, text = word[:1], word[1:1000].decode("utf-8", "replace")
    if kind == LOST:
        return Ending(None, "ended before the last check")
    if kind == NOT_RUN:
        return Ending(Status.MEMORY if _is_memory_error(text) else Status.CRASHED, text)
    if kind == NO_FRAME:
        return Ending(Status.FAILED, text)
    try:
        told = json.loads(word[1:])
        status, detail, is_theirs = told["status"], str(told["detail"])[:1000], told["nonce"] == nonce
    except (ValueError, TypeError, LookupError, RecursionError):
        return Ending(Status.NOT_SCORED, f"the tests: {text[:300]}")
    if kind != END or not is_theirs or status not in _TOLD:
        return Ending(Status.FAILED, "the tests ended without a verdict")
    return Ending(Status(status), detail)


def explain_tests(ending: Ending, report: Report, limits: Limits) -> Ending:
    """The same when the tests' process fell silent: they are text of somebody's, so it is not a fault."""
    status, detail = explain(ending, report, limits, "")
    if status in (Status.CRASHED, Status.FINISHED):
        status = Status.FAILED
    return Ending(Status.NOT_SCORED if status is Status.COMPILE_ERROR else status, f"the tests: {detail}")


def first_difference(stdout: str, expected: str) -> str | None:
    r"""None when two outputs are one: white space at the end of lines and empty lines at the end do not count.

    >>> first_difference("1 2 \n3\n\n", "1 2\n3") is None
    True
    >>> first_difference("1\n3", "1\n2")
    "line 2 of the output is '3', expected '2'"
    """
    found, wanted = ([line.rstrip() for line in text.rstrip().split("\n")] for text in (stdout, expected))
    for number, (line, right) in enumerate(itertools.zip_longest(found, wanted), 1):
        if line != right:
            return f"line {number} of the output is {_shown(line)}, expected {_shown(right)}"
    return None


def _shown(line: str | None) -> str:
    return "missing" if line is None else repr(line[:100])


def _answer(frame: bytes) -> Any:
    if frame[:1] == b"=":
        return unpack(frame[1:])
    if frame == b"+":
        return None
    raise _CandidateRaised(frame[1:1000].decode("utf-8", "replace"))


def explain(ending: Ending, report: Report, limits: Limits, stderr: str) -> tuple[Status, str]:
    """Why a program did not pass: limits first, then what was seen, then how its process ended."""
    if report.over_memory or "M" in report.marks:
        return Status.MEMORY, f"more than {limits.memory_bytes} bytes"
    if "S" in report.marks:
        return Status.COMPILE_ERROR, ending.detail or stderr.strip()
    if _is_out_of_cpu(report, limits):
        return Status.TIMEOUT, f"more than {limits.cpu_seconds} s of CPU"
    if ending.status is not None:
        return ending.status, ending.detail
    if os.WIFSIGNALED(report.status):
        return Status.CRASHED, f"killed by {_signal_name(os.WTERMSIG(report.status))}"
    code = os.WEXITSTATUS(report.status)
    if code == 0 and not ending.detail:
        return Status.FINISHED, ""
    last = stderr.strip().rpartition("\n")[2][:300]
    return Status.MEMORY if _is_memory_error(last) else Status.CRASHED, last or f"exit status {code}; {ending.detail}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"signal {number}"


def _is_out_of_cpu(report: Report, limits: Limits) -> bool:
    if report.over_cpu or not os.WIFSIGNALED(report.status):
        return report.over_cpu
    number = os.WTERMSIG(report.status)
    return number == signal.SIGXCPU or (number == signal.SIGKILL and report.cpu_seconds >= limits.cpu_seconds)


def _is_memory_error(message: str) -> bool:
    return "MemoryError" in message.partition(":")[0]


def doctest_asserts(docstring: str, name: str) -> str | None:
    """The examples of a docstring as asserts about the function `name`; None unless every one of them is literal.

    `>>> double(2)` with `4` below becomes `assert (double(2)) == (4)`. Nothing below means None, as in a session.
    """
    try:
        examples = doctest.DocTestParser().get_examples(docstring)
        lines = [_as_assert(example) for example in examples]
        checks = parse_tests("\n".join(lines), name)
    except (ValueError, SyntaxError, RecursionError, MemoryError, NotLiteral, NotTests):
        return None
    is_about_name = all(f"{name}(" in line for line in lines)
    return "\n".join(lines) if checks and is_about_name else None


def _as_assert(example: doctest.Example) -> str:
    """ValueError or SyntaxError where the example is more than an expression and a literal."""
    if example.exc_msg is not None or example.options:
        raise ValueError("an exception, or options")
    expression = ast.unparse(ast.parse(example.source.strip(), mode="eval"))
    wanted = ast.literal_eval(example.want.strip() or "None")
    if wanted is ...:
        raise ValueError("an ellipsis")
    is_singleton = wanted is None or isinstance(wanted, bool)
    return f"assert ({expression}) {'is' if is_singleton else '=='} ({wanted!r})"
