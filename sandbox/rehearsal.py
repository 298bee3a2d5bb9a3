"""What a program's process will run of ours, run beforehand in pid 1, so that the fork inherits it warm.

Guarantees: nothing of it stays but faster code: the interpreter of 3.11 and newer rewrites a function while it runs for the
first times, looks up an attribute of a type once and notes where it was, and takes memory; each page of that would be copied
in every program's process, more than a hundred of them. No program, test or value of the caller's is touched. Costs: 30 ms
when a worker starts. Leaves out: setting a process up, which cannot be tried.
"""

from __future__ import annotations

import linecache
import os
import socket
import sys
from marshal import dumps, loads
from typing import Any

from sandbox import child, values
from sandbox.frames import Wire
from sandbox.remote_candidate import Candidate
from sandbox.remote_tester import Tester

ROUNDS = 40  # a function is specialised after 8 to 32 calls
VALUES: tuple[Any, ...] = (1, 2.5, "a", b"b", None, True, [1, 2], (1, "b"), {1: 2}, {3}, [["x"], [1.0]], 10**20)
ORDER = {"nonce": "a", "entry_point": "f", "is_given_to_check": True, "context": ""}
PROGRAM = '''
from typing import List


def f(values: List[int]) -> int:
    """Text.

    >>> f([1, 2])
    2
    """
    for i, value in enumerate(values):
        if value > i and not i:
            return [value * 2 for value in values][0]
    return 0


def check(candidate):
    assert candidate([1, 2]) == 2
    assert candidate([0, 0, 1.5]) == 0
'''


def rehearse() -> None:
    """All that can be."""
    _rehearse_programs()
    _rehearse_answers()


def _rehearse_programs() -> None:
    """Compile one and run it, and say so."""
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    near, far = socket.socketpair()
    with near, far:
        mine, theirs = (Wire(end.fileno(), values.MAX_FRAME, _impossible, _impossible) for end in (near, far))
        for _ in range(ROUNDS):
            module = child.fresh_module("candidate")
            exec(child.compile_source(PROGRAM, null, mine.send), module.__dict__)  # noqa: S102 - the text above
            module.check(module.f)
            mine.send(dumps(ORDER))
            loads(theirs.receive())  # noqa: S302 - what was sent in the line above
    os.close(null)
    del sys.modules["candidate"]
    linecache.clearcache()


def _rehearse_answers() -> None:
    """Cross the wall with every kind of value, both ways, and call from one side to the other."""
    answers: list[bytes] = []
    candidate = Candidate({"f": lambda *values: values[-1], "g": _raise}, answers.append, answers.pop)
    tester = Tester(candidate.serve, answers.pop)
    for _ in range(ROUNDS):
        _, function = tester.request("global", "f")
        for value in VALUES:
            values.unpack(values.pack(value))
            function(value)
        _, function = tester.request("global", "g")
        try:
            function(1)
        except ZeroDivisionError:
            continue


def _impossible(*_: object) -> bytes:
    raise AssertionError("both ends are here")


def _raise(number: int) -> float:
    return number / 0
