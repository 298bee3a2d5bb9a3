"""A child process that parses, so that nothing a grammar does can hang or end the stage.

Grammars are C code fed with strangers' text, and their scanners cannot be interrupted from inside. The child's limit on CPU
time is moved ahead before each file, and its address space is bounded; a file on which it dies of a limit or a crash is
rejected as `parse_killed` with the signal, and the next file gets a fresh child; one on which our own code fails, as
`parse_failed` with the error. CPU time, not a clock, decides: a busy machine changes nothing. Starting costs 0.1 CPU seconds
a shard, the way to the child and back a sixth to a quarter of the parse.
A frame is its length in 8 bytes and then JSON, or for a file: language, line end, code.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from corpora.code.syntax import SyntaxConfig, examine

FAULTS = frozenset(
    (signal.SIGXCPU, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)
)
"""Signals that a file can be to blame for; any other comes from outside."""
COMMAND = (sys.executable, "-m", "corpora.code.parsing")


class Parsing:
    """The parent's end; a context, so that the child never outlives it."""

    def __init__(self, config: SyntaxConfig, command: tuple[str, ...] = COMMAND) -> None:
        self._config = config
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Parsing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def examine(self, language: str, code: bytes) -> dict[str, Any]:
        """Do what `syntax.examine` does, or say what ended the child on this file."""
        if self._config.max_error_share(language) is None:
            return examine(language, code, self._config)
        child = self._child = self._child or self._start()
        answer = _ask(child, language.encode() + b"\n" + code)
        if answer is not None:
            return json.loads(answer)  # type: ignore[no-any-return]  # what `_serve` writes
        self._child = None
        return self._verdict(_end(child))

    def _verdict(self, code: int) -> dict[str, Any]:
        if -code not in FAULTS:
            raise ChildProcessError(
                f"the parsing process ended with {code}, not by a file's fault; see its output above"
            )
        limit = float(self._config.cpu_seconds)
        return {"reason": "parse_killed", "value": limit, "bound": limit, "evidence": signal.Signals(-code).name}

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
        )
        assert child.stdin is not None
        _write(child.stdin, json.dumps(asdict(self._config)).encode())
        return child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()  # it may be at work on a file that no one waits for any more
            _end(self._child)
            self._child = None


def _end(child: subprocess.Popen[bytes]) -> int:
    """Close both pipes and give how the child ended."""
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):  # of what was left to write to a dead child
            pipe.close()
    return child.wait()


def _ask(child: subprocess.Popen[bytes], frame: bytes) -> bytes | None:
    """Send a file, and give the answer; None when the child died."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        _write(child.stdin, frame)
    except BrokenPipeError:
        return None
    return _read(child.stdout)


def _write(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(len(frame).to_bytes(8, "little") + frame)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """Read a frame; None at the end of the stream, be it within one."""
    head = pipe.read(8)
    length = int.from_bytes(head, "little") if len(head) == 8 else 1
    frame = pipe.read(length) if len(head) == 8 else b""
    return frame if len(frame) == length else None


def _serve(config: SyntaxConfig, inward: IO[bytes], outward: IO[bytes]) -> None:
    """The child: answer files until the parent closes the pipe."""
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # elsewhere the limit is not kept
        _limit(resource.RLIMIT_AS, config.memory_bytes)
    while (frame := _read(inward)) is not None:
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + config.cpu_seconds)
        language, _, code = frame.partition(b"\n")
        try:
            found: Mapping[str, Any] = examine(language.decode(), code, config)
        except MemoryError:
            os.abort()  # as the parser itself does when it finds no memory
        except Exception as error:  # noqa: BLE001 - a mistake of ours on one file of millions; it is counted, and seen
            found = {"reason": "parse_failed", "evidence": f"{type(error).__name__}: {error}"}
        _write(outward, json.dumps(found).encode())


def _limit(kind: int, value: int) -> None:
    """Set a limit as far as the machine allows; none above it is possible."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    """Serve over standard input and output."""
    frame = _read(sys.stdin.buffer)
    if frame is not None:
        value = json.loads(frame)
        value["error_shares"] = tuple((language, share) for language, share in value["error_shares"])
        _serve(SyntaxConfig(**value), sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
