"""Where a training command runs: so many ranks of `python -m module`, with their logs, ended together.

Guarantees: the call returns only when every rank has exited with 0; otherwise every rank is ended and
TrainingFailed has the exit code, the log and its last lines. Ctrl-C, SIGTERM (as SystemExit) and any other
exception in the caller end the ranks too, and a rank ends when the launcher dies. Ranks find each other through the
variables that torchrun sets, so the same module also runs under torchrun. `specialize.slurm` is for more than one machine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from specialize import TrainingFailed

TAIL_LINES = 20
"""Lines of the log in the message of TrainingFailed."""
LAUNCHER_VARIABLE = "QWEN_SPECIALIZE_LAUNCHER"
"""Process id of the launcher; a rank that finds another parent knows that the launcher is gone."""
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10.0


class Launcher(Protocol):
    """Runs a training command somewhere and waits for it."""

    def run(self, module: str, arguments: Sequence[str], *, ranks: int, log: Path) -> None:
        """Run `python -m module arguments` as so many ranks; rank 0 writes `log`, rank 1 `train.1.log` beside it."""


@dataclass(frozen=True)
class Local:
    """Ranks as processes of this machine; one is a plain process."""

    threads: int | None = None
    """Threads of one rank; None shares this process's cores among the ranks."""

    def run(self, module: str, arguments: Sequence[str], *, ranks: int, log: Path) -> None:
        """Run the ranks to their end."""
        command = [sys.executable, "-m", module, *arguments]
        logs = [log_of(log, rank) for rank in range(ranks)]
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(_process(command, environment, path))
                for environment, path in zip(self._environments(ranks), logs, strict=True)
            ]
            try:
                _wait(processes, logs)
            except (KeyboardInterrupt, SystemExit):
                _stop(processes)
                raise

    def _environments(self, ranks: int) -> list[dict[str, str]]:
        threads = self.threads or max(1, _cores() // ranks)
        shared = {
            **os.environ,
            "OMP_NUM_THREADS": str(threads),
            "WORLD_SIZE": str(ranks),
            "LOCAL_WORLD_SIZE": str(ranks),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
            "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",  # no name service needed
            "PYTHONUNBUFFERED": "1",
            LAUNCHER_VARIABLE: str(os.getpid()),
        }
        return [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(ranks)]


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start one rank in a session of its own, and end all of it on the way out."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        yield process
    finally:
        _end(process)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Let ranks save what they have: all are told at once, and have a few seconds together."""
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and any(process.poll() is None for process in processes):
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a rank and what it started; one that lost its peers would wait for them to the end of its patience."""
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _wait(processes: list[subprocess.Popen[bytes]], logs: list[Path]) -> None:
    """Return when all ranks have ended well; raise as soon as one has not."""
    while True:
        codes = [process.poll() for process in processes]
        failed = [rank for rank, code in enumerate(codes) if code]
        if failed:
            # The others fail a moment later, for want of a peer: the log that was written to first has the cause.
            rank = min(failed, key=lambda rank: logs[rank].stat().st_mtime_ns)
            raise TrainingFailed(failure(int(codes[rank] or 0), rank, logs[rank]))
        if None not in codes:
            return
        time.sleep(_POLL_SECONDS)


def failure(code: int, rank: int, log: Path, *, where: str = "") -> str:
    """Say which rank ended how, where its log is and how that ends."""
    how = f"exited with {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"
    return "\n".join([f"training rank {rank}{where} {how}; see {log}, which ends:", *tail(log)])


def tail(log: Path) -> list[str]:
    """Read the last lines of a log; of one that is not there, none."""
    return log.read_text(errors="replace").rstrip().splitlines()[-TAIL_LINES:] if log.exists() else []


def log_of(log: Path, rank: int) -> Path:
    """Name the log of a rank."""
    return log if rank == 0 else log.with_name(f"{log.stem}.{rank}{log.suffix}")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_port() -> int:
    """Ask the kernel for a port; another process may take it before rank 0 does, and then the run says so and ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
