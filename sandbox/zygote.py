"""pid 1 of a jail: forks one process a program, and kills all that is left when it is over.

Guarantees: a program starts in namespaces of its own (user, mount, ipc) with an empty /tmp, its limits set, no
capability, the system-call filter installed and no descriptor but its own; when it ends nothing of it remains. The
marks pipe, closed before the program's first instruction, tells a fault of the machine from the program's doing.
Processor time and memory are summed over all its processes. Under memory pressure the kernel ends the program first.
Costs: about 2 ms of CPU a program. Never trusted with a verdict: it reports how the process ended, nothing else.

Protocol, one packet each on the control socket. Host: {"packages", "preload"}; then for each program the limits (marshal)
with the descriptors source, stdin, stdout, stderr (and calls; and, of tests, the one to the host); then "K" to end it.
Zygote: {"ready"} or {"failed"}; then "E" when the program ended by itself; then its report: wait status, CPU seconds, seconds
it waited for a core, the limit it broke or "-", marks. On the calls socket: see child.serve.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import marshal
import os
import random
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from os import chdir, close, closerange, dup2, setsid, write
from pathlib import Path
from resource import setrlimit
from typing import Any, NoReturn

from sandbox import anonymous, child, command, descriptors, jail, limits, linux, rehearsal, rootfs, seccomp
from sandbox.child import CALLS, STARTED, await_candidate, compile_source
from sandbox.child import serve as serve_calls
from sandbox.descriptors import MARK, read_file
from sandbox.limits import DESCRIPTORS
from sandbox.linux import drop_capabilities, mount_tmpfs, unshare, write_at
from sandbox.meter import Meter, Use
from sandbox.remote_tester import FILE as TESTS

PRELOADED = """
abc bisect collections copy dataclasses datetime functools heapq itertools math operator random re string time
traceback typing encodings.ascii encodings.latin_1
"""
"""What many programs import. Not decimal, statistics, hashlib: their libraries cost every fork 0.2 ms, a few programs 2."""
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
}
SOCKET_LOOKS = 1000  # a hundredth of a second each
LONG_SECONDS = 1.0  # a program that was stopped after less was not short of processor time
LOOK_MILLISECONDS, SHORT_LOOK_MILLISECONDS = 50, 10  # how often use is summed; when much memory is in use
_BOOT = (
    "import sys; sys.path[0] = {code!r}; from sandbox import zygote; sys.path.pop(0); "
    "zygote.serve({control}, {proc}, {preload})"
)


def main(control: int) -> NoReturn:
    """Make the jail and go in; the caller is a fresh interpreter that does nothing else."""
    sock = socket.socket(fileno=control)
    with _failures_told(sock):
        order = json.loads(sock.recv(65536))
        proc = jail.enter(order["packages"], order["toolchains"])
        boot = _BOOT.format(code=rootfs.CODE, control=control, proc=proc, preload=order["preload"])
        jail.execute_inside(boot, [control, proc])
    raise AssertionError("it is another program now")


def serve(control: int, proc: int, preload: list[str]) -> NoReturn:
    """The same process, in the jail and in a new interpreter: import packages and serve programs."""
    sock = socket.socket(fileno=descriptors.move_above(control, MARK))
    with _failures_told(sock):
        for name in PRELOADED.split():
            importlib.import_module(name)
        zygote = Zygote(sock, descriptors.move_above(proc, MARK), preload)
    sock.send(b'{"ready": true}')
    zygote.serve()


@contextlib.contextmanager
def _failures_told(control: socket.socket) -> Iterator[None]:
    try:
        yield
    except linux.StepFailed as failure:
        told = {"failed": failure.step, "error": str(failure.error), "number": failure.error.errno}
        control.send(json.dumps(told).encode())
        os._exit(1)


class Zygote:
    """Serves one program after another until the control socket closes."""

    def __init__(self, control: socket.socket, proc: int, preload: list[str]) -> None:
        self._control = control
        self._proc = proc
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        linux.prctl(linux.DEATH_SIGNAL, signal.SIGKILL)
        with linux.step("prepare the worker"):
            self._marks = descriptors.prepare()
            limits.set_common()
        with linux.step("install the system-call filter"):
            seccomp.installer(seccomp.base_rules).install()
            self._filter = seccomp.installer(seccomp.late_rules)
        sys.path[:] = [*(path for path in sys.path if Path(path).exists()), "/packages"]
        sys.dont_write_bytecode = True
        sys.argv = ["main.py"]
        os.environ.clear()
        os.environ.update(ENVIRONMENT)
        anonymous.install()
        _import(preload)
        _seed()
        self._cpu_seconds = 0.0  # of all programs so far
        rehearsal.rehearse()
        gc.collect()
        gc.freeze()  # the collector would touch, and so copy, every page shared with the children
        self._meter = Meter(proc)
        self._base_bytes = limits.virtual_bytes()
        self._packet, self._disk = b"", b""
        self._order: dict[str, Any] = {}
        self._limits: list[tuple[int, tuple[int, int]]] = []

    def serve(self) -> NoReturn:
        """One program at a time, for ever."""
        while True:
            packet, passed = descriptors.receive(self._control)
            if not packet:
                os._exit(0)
            if packet != b"K":  # a late one, for the program before
                self._prepare(packet)
                self._run(self._order, passed)

    def _prepare(self, packet: bytes) -> None:
        """All that can be done before the fork; most programs have the limits of the one before."""
        if packet != self._packet:
            self._packet = packet
            self._order = marshal.loads(packet)  # noqa: S302 - from the host
            self._limits = limits.rows_for(self._order, self._base_bytes)
            self._disk = b"size=%d,nr_inodes=4096,mode=0700" % self._order["disk"]

    def _run(self, order: dict[str, Any], passed: tuple[int, ...]) -> None:
        pid, started = linux.fork(), time.monotonic()
        if pid == 0:
            try:
                self._become_program(order, passed)
            except (OSError, ValueError, OverflowError, MemoryError) as error:
                os.write(MARK, f"{error!r:.300}".encode("utf-8", "replace"))
            finally:
                os._exit(1)
        for descriptor in passed:
            os.close(descriptor)
        status, over, waited = self._watch(pid, order, started + LONG_SECONDS)
        before, self._cpu_seconds = self._cpu_seconds, _children_seconds()
        report = f"{status} {self._cpu_seconds - before} {waited} {over or '-'} "
        self._control.send(report.encode() + descriptors.read_available(self._marks))
        self._wait_for_sockets()

    def _wait_for_sockets(self) -> None:
        """Until no socket is left in the network namespace, which the next program gets too.

        One that waits in the queue of another lives, with its name, until the kernel looks for such circles; closing
        a socket makes it look.
        """
        for _ in range(SOCKET_LOOKS):
            if self._meter.count_sockets() == 0:
                return
            for end in socket.socketpair():
                end.close()
            time.sleep(0.01)
        os._exit(1)  # the next worker has a namespace of its own

    def _watch(self, pid: int, order: dict[str, Any], is_long: float) -> tuple[int, str, float]:
        """Until the host says "K": wait, sum use, tell when it ends.

        Returns its wait status, the limit it broke, and how long it was kept from running.
        """
        handle = os.pidfd_open(pid)
        self._poll.register(handle, select.POLLIN)
        over, ended, pause = "", False, LOOK_MILLISECONDS
        while True:
            ready = dict(self._poll.poll(pause))
            if self._control.fileno() in ready:
                if not self._control.recv(1):
                    os._exit(0)
                break
            if not ready and not ended:
                use = self._meter.look()
                _reap(use.orphans, pid)
                over = self._broken_limit(use, order)
                is_large = use.resident_bytes > order["memory"] // 4
                pause = SHORT_LOOK_MILLISECONDS if is_large else LOOK_MILLISECONDS
            if not ended and (over or handle in ready):
                ended, pause = True, LOOK_MILLISECONDS
                self._poll.unregister(handle)
                _kill_all()  # what it left behind holds its pipes
                self._control.send(b"E")
        if not ended:
            self._poll.unregister(handle)
        os.close(handle)
        waited = self._meter.waited_seconds() if not ended and time.monotonic() > is_long else 0.0
        return _end(pid), over, waited

    def _broken_limit(self, use: Use, order: dict[str, Any]) -> str:
        if use.cpu_seconds + _children_seconds() - self._cpu_seconds > order["cpu"]:
            return "cpu"
        if use.resident_bytes > order["memory"] and self._meter.proportional_bytes() > order["memory"]:
            return "memory"
        return ""

    def _become_program(self, order: dict[str, Any], passed: tuple[int, ...]) -> None:
        """In the child: nothing here may fail without leaving the marks empty.

        Every object used is a page copied for its reference count, so functions are called by names of this module.
        """
        setsid()
        unshare(_SPACES)
        for path, text in _ABOUT_ITSELF:
            write_at(self._proc, path, text)
        mount_tmpfs(b"/tmp", self._disk)
        chdir("/tmp")
        source = read_file(passed[0])
        for number, descriptor in enumerate(passed[1:]):
            dup2(descriptor, number)
        closerange(MARK + 1, DESCRIPTORS)  # the control socket and the writable /proc above all
        for which, limit in self._limits:
            setrlimit(which, limit)
        drop_capabilities()
        self._filter.install()
        write(MARK, STARTED)
        if order["is_build"]:
            command.become(source, MARK)
        if order["is_test"]:
            await_candidate()
            code = compile_source(source, MARK, child.tell, TESTS)
            close(MARK)
            child.test(code)
        is_served = len(passed) == CALLS + 2
        code = compile_source(source, MARK, child.send if is_served else child.show_message)
        closerange(CALLS + is_served, MARK + 1)
        serve_calls(code) if is_served else child.run_script(code)


_SPACES = linux.NEWUSER | linux.NEWNS | linux.NEWIPC
_ABOUT_ITSELF = (
    ("self/uid_map", b"%d %d 1" % (rootfs.INNER, rootfs.INNER)),
    ("self/gid_map", b"%d %d 1" % (rootfs.INNER, rootfs.INNER)),  # setgroups is denied since pid 1's own map
    ("self/oom_score_adj", b"1000"),
)


def _import(packages: list[str]) -> None:
    for name in packages:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - not installed, or broken: a program that imports it will see why
            sys.modules.pop(name, None)


def _seed() -> None:
    """The same numbers for every program, on every worker: one that is run again ends the same way."""
    random.seed(0)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(0)


def _children_seconds() -> float:
    """Processor time of every process waited for so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap(orphans: list[int], program: int) -> None:
    """Dead, but counted among the program's processes as long as nobody waits for them."""
    for pid in orphans:
        if pid != program:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _kill_all() -> None:
    """Kill every process of the jail but this one."""
    try:  # noqa: SIM105 - contextlib.suppress is three functions more, after a fork a page each
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _end(program: int) -> int:
    """Kill and reap everything; returns the program's wait status."""
    status = 0
    _kill_all()  # once is enough: a process with this signal pending cannot fork
    while True:
        try:
            pid, found = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == program:
            status = found
