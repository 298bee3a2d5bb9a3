"""pid 1 of a jail: forks one process a program, and kills all that is left when it is over.

Guarantees: a program starts in namespaces of its own (user, mount, ipc) with an empty /tmp, its limits set, no
capability, the system-call filter installed and no descriptor but its own; when it ends nothing of it remains. The
marks pipe, closed before the program's first instruction, tells a fault of the machine from the program's doing.
Costs: about 3 ms of CPU a program. Never trusted with a verdict: it reports how the process ended, nothing else.

Protocol, one packet each on the control socket. Host: {"packages"}; then for each program the limits with the
descriptors source, stdin, stdout, stderr (and calls); then "K" to end it. Zygote: {"ready"} or {"failed"}; then "E"
when the program ended by itself; then its report. On the calls socket: see child.serve.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from sandbox import child, jail, seccomp
from sandbox.child import CALLS

PRELOADED = """
abc bisect cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq itertools
math operator random re statistics string textwrap time traceback typing
"""
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
}
DESCRIPTORS = 64  # open files a program
POLL_MILLISECONDS = 50  # how often resident memory is summed


def main(control: int) -> NoReturn:
    """Make the jail and serve it; the caller is a fresh interpreter that does nothing else."""
    sock = _move_above(socket.socket(fileno=control), CALLS)
    try:
        order = json.loads(sock.recv(65536))
        for name in [*PRELOADED.split(), "encodings.ascii", "encodings.idna", "encodings.latin_1"]:
            importlib.import_module(name)
        with jail.step("assemble the system-call filter"):
            filter_ = seccomp.installer()
        jail.enter(order["packages"])
        zygote = Zygote(sock, filter_)
    except jail.StepFailed as failure:
        sock.send(json.dumps({"failed": failure.step, "error": str(failure.error)}).encode())
        os._exit(1)
    sock.send(b'{"ready": true}')
    zygote.serve()


class Zygote:
    """Serves one program after another until the control socket closes."""

    def __init__(self, control: socket.socket, filter_: seccomp.Installer) -> None:
        self._filter = filter_
        self._control = control
        with jail.step("prepare the worker"):
            read, write = os.pipe()
            # streams made on a pipe fit whatever a program gets later; on a file they would remember a position
            for number in range(CALLS + 1):
                os.dup2(read if number == 0 else write, number)
            os.close(read)
            os.close(write)
            _make_streams()
            null = os.open("/dev/null", os.O_RDWR)
            for number in range(CALLS + 1):
                os.dup2(null, number)
            os.close(null)
            self._marks, self._mark = os.pipe()
            os.set_blocking(self._marks, False)
            _set_common_limits()
        sys.path[:] = [*(path for path in sys.path if Path(path).exists()), "/packages"]
        sys.dont_write_bytecode = True
        sys.argv = ["main.py"]
        os.environ.clear()
        os.environ.update(ENVIRONMENT)
        gc.collect()
        gc.freeze()  # the collector would touch, and so copy, every page shared with the children
        pages = _statm(os.getpid())
        self._base_bytes = pages[0] * resource.getpagesize()
        self._base_resident = pages[1]
        self._cpu_seconds = 0.0  # of all programs so far

    def serve(self) -> NoReturn:
        """One program at a time, for ever."""
        while True:
            packet, descriptors, _, _ = socket.recv_fds(self._control, 65536, 8)
            if not packet:
                os._exit(0)
            if packet != b"K":  # a late one, for the program before
                self._run(json.loads(packet), descriptors)

    def _run(self, order: dict[str, Any], descriptors: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                self._become_program(order, descriptors)
            except (OSError, ValueError, OverflowError, MemoryError) as error:
                os.write(self._mark, f"{error!r:.300}".encode("utf-8", "replace"))
            finally:
                os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        status, over_memory = self._watch(pid, order["memory"])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before, self._cpu_seconds = self._cpu_seconds, used.ru_utime + used.ru_stime
        report = {
            "status": status,
            "cpu_seconds": self._cpu_seconds - before,
            "over_memory": over_memory,
            "marks": _read_all(self._marks).decode("latin-1"),
        }
        self._control.send(json.dumps(report).encode())

    def _watch(self, pid: int, memory: int) -> tuple[int, bool]:
        """Until the host says "K": wait, sum memory, tell when it ends. Returns its wait status."""
        handle = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(handle, select.POLLIN)
        ended = over_memory = False
        while True:
            ready = dict(poll.poll(POLL_MILLISECONDS))
            if self._control.fileno() in ready:
                if not self._control.recv(1):
                    os._exit(0)
                break
            over_memory = over_memory or (not ready and self._resident() * resource.getpagesize() > memory)
            if not ended and (over_memory or handle in ready):
                ended = True
                poll.unregister(handle)
                _kill_all()  # what it left behind holds its pipes
                self._control.send(b"E")
        os.close(handle)
        return _end(pid), over_memory

    def _resident(self) -> int:
        """Pages that the program's processes added to what they share with this one."""
        total = 0
        for name in os.listdir("/proc"):  # noqa: PTH208 - twenty times a second
            if name.isdigit() and name != "1":
                total += max(0, _statm(int(name))[1] - self._base_resident)
        return total

    def _become_program(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """In the child: nothing here may fail without leaving the marks empty."""
        os.setsid()
        jail.unshare(jail.NEWUSER | jail.NEWNS | jail.NEWIPC)
        jail.map_user(jail.INNER, jail.INNER)
        size = f"size={order['disk']},nr_inodes=4096,mode=0700"
        jail.mount("tmpfs", "/tmp", "tmpfs", jail.NO_SUID | jail.NO_DEV, size)
        os.chdir("/tmp")
        source = _read_file(descriptors[0])
        for number, descriptor in enumerate(descriptors[1:]):
            os.dup2(descriptor, number)
        _set_limits(order, self._base_bytes)
        jail.drop_capabilities()
        self._filter.install()
        os.write(self._mark, child.STARTED)
        is_served = len(descriptors) == CALLS + 2
        code = child.compile_source(source, self._mark, is_served=is_served)
        os.closerange(CALLS + is_served, DESCRIPTORS)  # the marks too
        child.serve(code) if is_served else child.run_script(code)


def _move_above(sock: socket.socket, number: int) -> socket.socket:
    """The same socket under a descriptor that programs' own will not take."""
    import fcntl

    moved = socket.socket(fileno=fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD_CLOEXEC, number + 1))
    sock.close()
    return moved


def _make_streams() -> None:
    reader = io.BufferedReader(io.FileIO(0, "r"))
    sys.stdin = io.TextIOWrapper(reader, encoding="utf-8", errors="surrogateescape")
    writer = io.BufferedWriter(io.FileIO(1, "w"))
    sys.stdout = io.TextIOWrapper(writer, encoding="utf-8", errors="backslashreplace")
    errors = io.BufferedWriter(io.FileIO(2, "w"))
    sys.stderr = io.TextIOWrapper(errors, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _set_common_limits() -> None:
    nothing = (0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, nothing)
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, nothing)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, nothing)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _set_limits(order: dict[str, Any], base_bytes: int) -> None:
    def lower(which: int, soft: int, hard: int) -> None:
        ceiling = resource.getrlimit(which)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(which, (soft, hard))

    lower(resource.RLIMIT_CPU, order["cpu"], order["cpu"] + 1)
    lower(resource.RLIMIT_FSIZE, order["disk"], order["disk"])
    lower(resource.RLIMIT_NPROC, order["processes"], order["processes"])
    lower(resource.RLIMIT_AS, base_bytes + order["memory"], base_bytes + order["memory"])


def _statm(pid: int) -> tuple[int, int]:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            size, resident = file.read().split()[:2]
    except OSError:  # it has just ended
        return 0, 0
    return int(size), int(resident)


def _read_file(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).decode("utf-8", "surrogatepass")


def _read_all(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _kill_all() -> None:
    """Kill every process of the jail but this one."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _end(program: int) -> int:
    """Kill and reap everything; returns the program's wait status."""
    status = 0
    while True:
        _kill_all()
        try:
            pid, found = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == program:
            status = found
