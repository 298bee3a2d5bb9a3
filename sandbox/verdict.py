"""The verdict: what a candidate answers, held against tests it never sees; and doctests as such tests.

Guarantees: this runs in the caller's process, on plain values; PASSED needs every check evaluated and true, and
nothing else that happens can lead to it. Costs: one exchange a call. Calls go one at a time, so a candidate that
has not answered one does not know the next.
"""

from __future__ import annotations

import ast
import doctest
import marshal
import os
import signal
from dataclasses import dataclass
from typing import Any

from sandbox.literal import Check, NotLiteral, parse_tests
from sandbox.program import Limits, Status
from sandbox.streams import Channel, Deadline, Gone
from sandbox.values import BadValue, NotComparable, unpack
from sandbox.worker import Report


class _CandidateRaised(Exception):
    """A call, or the candidate's module itself, ended in an exception."""


@dataclass(frozen=True)
class Ending:
    """What the trusted side saw, before it asked how the process ended."""

    status: Status | None = None  # None: the wait status decides
    detail: str = ""  # empty with None: it may have finished well


def question(channel: Channel, checks: list[Check]) -> Ending:
    """PASSED only when every check was evaluated, here, and held."""

    def call(name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        channel.send(marshal.dumps((name, arguments, keywords), 4))
        return _answer(channel.receive())

    text = ""
    try:
        _answer(channel.receive())
        for item in checks:
            text = item.text
            if not item.holds(call):
                return Ending(Status.FAILED, text)
    except _CandidateRaised as error:
        status = Status.MEMORY if _is_memory_error(str(error)) else Status.CRASHED
        return Ending(status, f"{error} in: {text}" if text else str(error))
    except Deadline:
        return Ending(Status.TIMEOUT, f"no answer in time to: {text}")
    except Gone:
        return Ending(None, f"it ended before it answered: {text}")
    except NotComparable as reason:
        return Ending(Status.NOT_COMPARABLE, f"{reason} in: {text}")
    except (BadValue, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        return Ending(Status.FAILED, f"{error!r:.200} in: {text}")
    return Ending(Status.PASSED)


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
        return Status.CRASHED, f"killed by {signal.Signals(os.WTERMSIG(report.status)).name}"
    code = os.WEXITSTATUS(report.status)
    if code == 0 and not ending.detail:
        return Status.FINISHED, ""
    last = stderr.strip().rpartition("\n")[2][:300]
    return Status.MEMORY if _is_memory_error(last) else Status.CRASHED, last or f"exit status {code}; {ending.detail}"


def _is_out_of_cpu(report: Report, limits: Limits) -> bool:
    if not os.WIFSIGNALED(report.status):
        return False
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
    except (ValueError, SyntaxError, RecursionError, MemoryError, NotLiteral):
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
