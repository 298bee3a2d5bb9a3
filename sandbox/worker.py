"""The caller's end of one jail: starts it, gives it programs, holds the clock.

Guarantees: nothing of the caller's process reaches the jail: it is a fresh interpreter with no environment, started by
exec, so a caller with torch or threads in it is safe. What goes wrong outside a program's own doing is a
WorkerFault, after which the worker is worth nothing. Costs: about 0.1 s to start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.program import Limits, SandboxUnavailable
from sandbox.streams import memory_file

PACKAGES = ("numpy", "sympy", "mpmath")
"""What programs may import beside the standard library, where it is installed."""
START_SECONDS = 60.0  # for a jail to be made, on an overloaded machine
STOP_SECONDS = 20.0  # for a jail to kill and report
_BOOT = "import sys; sys.path[0] = {root!r}; from sandbox import zygote; sys.path.pop(0); zygote.main({control})"
_CURES = {
    "make a user namespace and the others in it": (
        "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
        "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), user.max_user_namespaces above 0; "
        "in a container, a seccomp profile that lets unshare and mount through"
    ),
    "make a mount namespace as root": "in a container, give it CAP_SYS_ADMIN or run it as an ordinary user",
    "mount /proc with processes only": "Linux 5.8 or newer, and in a container an unmasked /proc",
    "assemble the system-call filter": "run on x86-64 or aarch64",
}


class WorkerFault(Exception):
    """The machine or the jail failed, not the program."""


@dataclass(frozen=True)
class Report:
    """How a program's process ended, as the zygote saw it."""

    status: int  # as from waitpid
    cpu_seconds: float
    over_memory: bool
    marks: str  # what it wrote before its first instruction


class Worker:
    """One jail with its zygote. Used by one thread at a time."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise SandboxUnavailable(f"this is {sys.platform}", "run on Linux: a virtual machine or a container")
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = mine
        with theirs:
            self._process = _spawn(theirs.fileno())
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._expect_ready()
        except BaseException:
            self.close()
            raise

    def _expect_ready(self) -> None:
        self.control.settimeout(START_SECONDS)
        try:
            self.control.send(json.dumps({"packages": package_folders()}).encode())
            answer = json.loads(self.control.recv(65536) or b"{}")
        except OSError as error:
            raise WorkerFault(f"the jail did not start: {error}") from error
        if "failed" in answer:
            cure = _CURES.get(answer["failed"], "report this with the output of `uname -a`")
            raise SandboxUnavailable(f"cannot {answer['failed']}: {answer['error']}", cure)
        if not answer:
            raise WorkerFault(f"the jail did not start: {self._last_words()}")

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # it may be printing a traceback
        self._process.kill()
        stderr = self._process.stderr
        return stderr.read().decode("utf-8", "replace").strip()[-500:] if stderr else ""

    def launch(self, source: str, limits: Limits, streams: Sequence[int | None]) -> None:
        """Start a program. Streams are descriptors for 0, 1, 2 (None: /dev/null) and, for a candidate, its calls."""
        order = {
            "cpu": limits.cpu_seconds,
            "memory": limits.memory_bytes,
            "processes": limits.processes,
            "disk": limits.disk_bytes,
        }
        text = memory_file(source.encode("utf-8", "surrogatepass"))
        try:
            descriptors = [text, *(self._null if stream is None else stream for stream in streams)]
            socket.send_fds(self.control, [json.dumps(order).encode()], descriptors)
        except OSError as error:
            raise WorkerFault(f"the jail is gone: {error}") from error
        finally:
            os.close(text)

    def stop(self) -> Report:
        """End the program if it has not ended, and everything it started."""
        self.control.settimeout(STOP_SECONDS)
        try:
            self.control.send(b"K")
            packet = self.control.recv(65536)
            if packet == b"E":
                packet = self.control.recv(65536)
        except OSError as error:
            raise WorkerFault(f"the jail does not answer: {error}") from error
        if not packet:
            raise WorkerFault("the jail died while a program ran in it")
        report = Report(**json.loads(packet))
        if not report.marks.startswith("."):
            reason = report.marks or f"wait status {report.status}"
            raise WorkerFault(f"the program's process could not be set up: {reason}")
        return report

    def close(self) -> None:
        """End the jail."""
        self.control.close()
        self._process.kill()  # the zygote dies with it
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._close_null()

    def forget(self) -> None:
        """In a forked copy of the caller: let go of a jail that belongs to the original."""
        self.control.close()
        self._close_null()
        self._process.returncode = 0  # not ours to wait for

    def _close_null(self) -> None:
        null, self._null = self._null, -1
        if null >= 0:
            os.close(null)


def _spawn(control: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    flags = ("-s", "-S", "-B", "-X", "utf8")
    environment = {"PYTHONHASHSEED": "0"}  # the order of a set must not depend on the worker
    with contextlib.suppress(KeyError):
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]  # a relocated interpreter may need it
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT.format(root=root, control=control)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        pass_fds=[control],
        cwd="/",
    )


def package_folders() -> list[str]:
    """Where the packages programs may use are installed, with the folders of their shared libraries."""
    folders = []
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        for folder in (found.submodule_search_locations or []) if found else []:
            folders += [path for path in (folder, f"{folder}.libs") if Path(path).is_dir()]
    return folders
