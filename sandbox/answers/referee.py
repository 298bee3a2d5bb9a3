r"""The referee: what our own rules leave open goes to sympy, in a process that is killed after a second.

One process a caller's process, started when first needed and again after it was killed; not a fork of the caller, so it is safe
beside threads and in workers, and after a fork the child gets its own. It receives trees as JSON, never text to parse. With
Math-Verify installed the cleaned texts go there as a second opinion, which is not taken where units, words, bases, moduli or
tiny numbers are involved: there it was seen to err. Callers wait in turn. Bounds: 1 s and 1 GiB a question, 30 s to start.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome
from sandbox.answers.tree import Node, kinds, size, walk, word_set

SECONDS = 1.0  # a question
_START_SECONDS = 30.0  # to import sympy on a loaded machine
_MAX_NODES = 200
_CLOSED_KINDS = word_set(
    "text choice quantity percent degrees based modulo time ratio point cases more empty list set tuple relation matrix"
)
"""Kinds for which no second opinion is taken."""
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_COMMANDS = re.compile(
    r"\\(?:frac|sqrt|pi|sin|cos|tan|ln|log|exp|theta|alpha|beta|cdot|left|right|infty|int|lim|sum|binom)(?![A-Za-z])"
)


class Referee:
    """A process that answers one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def compare(self, left: Node, right: Node) -> Outcome:
        """Ask sympy whether two expressions are equal."""
        if size(left) + size(right) > _MAX_NODES or (kinds(left) | kinds(right)) & _CLOSED_KINDS:
            return UNDECIDED("open")
        found = self._ask({"trees": [_plain(left), _plain(right)]})
        return UNDECIDED("open") if found is None else EQUAL("sympy") if found else DIFFERENT("sympy")

    def second(self, texts: tuple[str, str], forms: tuple[Node | None, Node | None]) -> Outcome | None:
        """Ask Math-Verify about two texts, where it is installed and its word is good; None for no opinion."""
        if not _has_math_verify() or not all(
            _is_plain_mathematics(text, form) for text, form in zip(texts, forms, strict=True)
        ):
            return None
        return EQUAL("Math-Verify") if self._ask({"texts": list(texts)}) else None

    def forget(self) -> None:
        """Leave the process to the parent, after a fork."""
        self._lock = threading.Lock()
        self._process = None

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any]) -> bool | None:
        with self._lock:
            process = self._started()
            if process is None:
                return None
            answer = self._exchange(process, json.dumps(question), SECONDS)
            if answer is None:
                self._end()
                return None
            found = json.loads(answer)
            return found if isinstance(found, bool) else None

    def _started(self) -> subprocess.Popen[bytes] | None:
        if self._process is not None and self._process.poll() is None:
            return self._process
        root = str(Path(__file__).resolve().parents[2])
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", "")))),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from sandbox.answers.referee_process import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # an interrupt at the terminal is the caller's
        )
        ready = self._exchange(self._process, None, _START_SECONDS)
        if ready is None:
            self._end()
            return None
        return self._process

    @staticmethod
    def _exchange(process: subprocess.Popen[bytes], question: str | None, seconds: float) -> bytes | None:
        """Send a line and wait for one; None when the process is gone or takes too long."""
        if process.stdin is None or process.stdout is None:
            return None
        try:
            if question is not None:
                process.stdin.write(question.encode() + b"\n")
                process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], seconds)
            return process.stdout.readline() or None if ready else None
        except (OSError, ValueError):
            return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # a pipe whose reader is gone cannot be flushed
                    continue


@functools.cache
def _has_math_verify() -> bool:
    return importlib.util.find_spec("math_verify") is not None


def _plain(node: Node) -> list[Any]:
    value = str(node.value) if isinstance(node.value, Fraction) else node.value
    return [node.kind, value, [_plain(part) for part in node.parts]]


def _is_plain_mathematics(text: str, form: Node | None) -> bool:
    """Whether a text has nothing in which Math-Verify was seen to err: words, units, bases, moduli, tiny numbers."""
    if _LETTERS.search(_COMMANDS.sub("", text)) or "_" in text or "mod" in text or "!" in text or len(text) > 300:
        return False
    if not re.fullmatch(r"[\x20-\x7e°∞≤≥≠±∪∩]*", text) or text[-1] in "*^+-/=(":
        return False
    if form is None:
        return not re.search("[<>≤≥≠=]", text)
    if kinds(form) & _CLOSED_KINDS:
        return False
    return not any(part.kind == "number" and 0 < abs(part.value) < Fraction(1, 10**5) for part in walk(form))


REFEREE = Referee()
os.register_at_fork(after_in_child=REFEREE.forget)
