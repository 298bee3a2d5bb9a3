"""The caller's end of one jail: starts it, gives it programs, holds the clock.

Guarantees: nothing of the caller's process reaches the jail: it is a fresh interpreter with no environment, started by
exec, so a caller with torch or threads in it is safe. What goes wrong outside a program's own doing is a
WorkerFault, after which the worker is worth nothing; so is the kernel's killing a program for want of memory, within its
limits: that is the machine's fault. Signals of the caller's terminal do not reach the jail, which ends when the caller
does, however that ends. Costs: about 0.1 s of CPU to start, 0.2 with numpy and 0.5 with sympy.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import json
import marshal
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import toolchains
from sandbox.kinds import Kind
from sandbox.languages import Build
from sandbox.program import Limits, SandboxUnavailable
from sandbox.streams import memory_file

PACKAGES = ("numpy", "sympy", "mpmath")
"""What programs may import beside the standard library, where it is installed."""
UNBOUNDED = 1 << 46  # bytes of address space: as good as all there are
PACKET = 65536  # bytes at most
START_SECONDS = 60.0  # for a jail to be made, on an overloaded machine
STOP_SECONDS = 20.0  # for a jail to kill and report
PASSING = (errno.EAGAIN, errno.ENOMEM)  # what is wanting now may be there a moment later
_BOOT = "import sys; sys.path[0] = {root!r}; from sandbox import zygote; sys.path.pop(0); zygote.main({control})"
_CURES = {
    "make a user namespace and the others in it": (
        "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
        "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), user.max_user_namespaces above 0; "
        "in a container, a seccomp profile that lets unshare and mount through"
    ),
    "make a mount namespace as root": "in a container, give it CAP_SYS_ADMIN or run it as an ordinary user",
    "give up root": "inside `unshare -r` or a container without uid 65534, run it as an ordinary user instead",
    "use an interpreter outside /tmp": "make the virtual environment from an interpreter that is not under /tmp",
    "mount /proc with processes only": "Linux 5.8 or newer, and in a container an unmasked /proc",
    "read the interpreter's files inside the jail": (
        "root is given up: make the interpreter, the packages and this package readable for others (chmod -R o+rX), "
        "or run as their owner"
    ),
    "install the system-call filter": "run on x86-64 or aarch64, on a kernel with CONFIG_SECCOMP_FILTER",
}


class WorkerFault(Exception):
    """The machine or the jail failed, not the program."""


@dataclass(frozen=True)
class Report:
    """How a program's process ended, as the zygote saw it."""

    status: int  # as from waitpid
    cpu_seconds: float
    waited_seconds: float  # its processes were ready to run and had no core, when it was stopped
    over_memory: bool
    over_cpu: bool  # the sum of all its processes, which the kernel does not bound
    marks: str  # what it wrote before its first instruction


class Worker:
    """One jail with its zygote. Used by one thread at a time."""

    def __init__(self, kind: Kind = Kind.PLAIN) -> None:
        if sys.platform != "linux":
            raise SandboxUnavailable(f"this is {sys.platform}", "run on Linux: a virtual machine or a container")
        self.kind = kind
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = mine
        with theirs:
            try:
                self._process = _spawn(theirs.fileno())
            except OSError as error:
                mine.close()
                if error.errno in PASSING:
                    raise WorkerFault(f"the jail did not start: {error}") from error
                raise
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._heard = select.poll()
        self._heard.register(mine, select.POLLIN)
        self._oom_kills = _count_oom_kills()
        try:
            self._expect_ready()
        except BaseException:
            self.close()
            raise

    def _expect_ready(self) -> None:
        self.control.settimeout(START_SECONDS)
        try:
            order = {
                "packages": package_folders(),
                "preload": self.kind.value.split(),
                "toolchains": toolchains_folder(),
            }
            self.control.send(json.dumps(order).encode())
            answer = json.loads(self.control.recv(PACKET) or b"{}")
        except OSError as error:
            raise WorkerFault(f"the jail did not start: {error}") from error
        if "failed" in answer:
            if answer["number"] in PASSING:
                raise WorkerFault(f"the jail did not start: cannot {answer['failed']}: {answer['error']}")
            cure = _CURES.get(answer["failed"], "report this with the output of `uname -a`")
            raise SandboxUnavailable(f"cannot {answer['failed']}: {answer['error']}", cure)
        if not answer:
            raise WorkerFault(f"the jail did not start: {self._last_words()}")
        self._wait_at_most(STOP_SECONDS)

    def _wait_at_most(self, seconds: float) -> None:
        """By the kernel's clock: Python's own would poll before each packet."""
        self.control.setblocking(True)
        whole, part = divmod(seconds, 1)
        time_value = struct.pack("@ll", int(whole), int(part * 1e6))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.control.setsockopt(socket.SOL_SOCKET, option, time_value)

    def is_silent(self) -> bool:
        """An idle jail has nothing to say; one that died is heard by the end of its socket."""
        return not self._heard.poll(0)

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # it may be printing a traceback
        self._process.kill()
        stderr = self._process.stderr
        return stderr.read().decode("utf-8", "replace").strip()[-500:] if stderr else ""

    def launch(
        self,
        source: str,
        limits: Limits,
        streams: Sequence[int | None],
        *,
        is_test: bool = False,
        build: Build | None = None,
    ) -> None:
        """Start a program. Streams are descriptors for 0, 1, 2 (None: /dev/null) and, for a candidate or tests, calls."""
        order = {
            "is_test": is_test,
            "cpu": limits.cpu_seconds,
            "memory": limits.memory_bytes,
            "processes": max(limits.processes, build.processes if build else 0),
            "is_build": build is not None,
            "address_space": UNBOUNDED if build and not build.bounds_address_space else limits.memory_bytes,
            "disk": limits.disk_bytes,
        }
        text = memory_file(source.encode("utf-8", "surrogatepass"))
        try:
            descriptors = [text, *(self._null if stream is None else stream for stream in streams)]
            socket.send_fds(self.control, [marshal.dumps(order, 4)], descriptors)
        except OSError as error:
            raise WorkerFault(f"the jail is gone: {error}") from error
        finally:
            os.close(text)

    def stop(self) -> Report:
        """End the program if it has not ended, and everything it started."""
        try:
            self.control.send(b"K")
            packet = self.control.recv(PACKET)
            has_ended = packet == b"E"
            if has_ended:
                packet = self.control.recv(PACKET)
        except OSError as error:
            raise WorkerFault(f"the jail does not answer: {error}") from error
        if not packet:
            raise WorkerFault("the jail died while a program ran in it")
        report = _parsed(packet)
        if not report.marks.startswith("."):
            reason = report.marks or f"wait status {report.status}"
            raise WorkerFault(f"the program's process could not be set up: {reason}")
        if has_ended and _is_killed(report) and self._machine_ran_out():
            raise WorkerFault("the kernel killed a process for want of memory")
        return report

    def _machine_ran_out(self) -> bool:
        """Whether the kernel killed anything for want of memory since this was last asked."""
        before, self._oom_kills = self._oom_kills, _count_oom_kills()
        return self._oom_kills > before

    def kill(self) -> None:
        """End the jail from another thread; its user sees a WorkerFault and closes it."""
        self._process.kill()

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


def _parsed(packet: bytes) -> Report:
    try:
        status, cpu, waited, over, marks = packet.decode("latin-1").split(" ", 4)
        return Report(int(status), float(cpu), float(waited), over == "memory", over == "cpu", marks)
    except ValueError as error:
        raise WorkerFault(f"the jail sent no report: {packet[:100]!r}") from error


def _is_killed(report: Report) -> bool:
    is_ours = report.over_memory or report.over_cpu
    return os.WIFSIGNALED(report.status) and os.WTERMSIG(report.status) == signal.SIGKILL and not is_ours


def _count_oom_kills() -> int:
    with contextlib.suppress(OSError), open("/proc/vmstat", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
    return 0


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
        start_new_session=True,  # Ctrl-C in a terminal is for the caller to handle
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


def toolchains_folder() -> str | None:
    """Where prepared toolchains lie or will; None where this user cannot have such a folder."""
    folder = toolchains.cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.path.realpath(folder) if os.path.isdir(folder) else None  # noqa: PTH112 - False where it may not look
