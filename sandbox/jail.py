"""One jail a worker: new user, mount, pid, net, ipc, uts and cgroup namespaces around a file system made for it.

Guarantees: root is given up (uid 65534) before the user namespace exists: mapped from root, a program without any
capability could still write kernel settings, because their files belong to root. What only root can read, such as an
interpreter under /root, is bound before that, and refused by name where it stays unreadable. The interpreter is then
executed again inside: /proc/self/exe of the first one is the host's own file, on a mount that can be written, and
its owner may chmod it even from a jail. Programs see their own processes in /proc and can write nothing there.
Costs: 60 to 80 ms once, half of it the second start. Leaves out: cgroups. They would bound the kernel memory of pipes and
sockets too, but only root may make them, one costs 19 ms, and a killed host leaves them behind. There is no weaker
mode either: where one of these steps is refused nothing runs. Runs in the fresh interpreter of a worker, never in the
caller. Source: namespaces(7), pivot_root(2), user_namespaces(7), proc(5).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from sandbox import linux, rootfs
from sandbox.linux import NO_DEV, NO_EXEC, NO_SUID, step

NOBODY = 65534  # the uid and gid that root becomes
FLAGS = ("-s", "-S", "-B", "-X", "utf8")  # of the interpreter: no packages, no written bytecode, UTF-8
_SPACES = linux.NEWUSER | linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS | linux.NEWCGROUP


def enter(packages: list[str], toolchains: str | None) -> int:
    """Move this process into a new jail, as its pid 1. StepFailed names what was refused.

    Returns a descriptor of a /proc that can be written, for pid 1 alone. The caller's process stays outside and only
    waits: it ends with the jail, and the jail with it.
    """
    os.umask(0o022)
    is_root = os.geteuid() == 0
    if is_root:
        with step("make a mount namespace as root"):
            linux.unshare(linux.NEWNS)
        rootfs.build(packages, toolchains)
        with step("give up root"):
            _become_nobody()
    uid, gid = os.geteuid(), os.getegid()
    with step("make a user namespace and the others in it"):
        linux.prctl(linux.DUMPABLE, 1)  # else a change of user, or capabilities of the interpreter's file, make
        linux.unshare(_SPACES)  # /proc/self root's, and the id map could not be written
    with step("map the user"):
        proc = os.open("/old/proc" if is_root else "/proc", os.O_RDONLY | os.O_CLOEXEC)
        linux.map_user(rootfs.INNER, uid, gid, proc)
        os.close(proc)
    if not is_root:
        rootfs.build(packages, toolchains)
    _fork_into_pid_namespace()
    proc = _mount_proc()
    _finish()
    return proc


def execute_inside(code: str, kept: list[int]) -> NoReturn:
    """Start the interpreter again, from the read-only system of the jail. `kept` stay open."""
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    home = f"{sys.base_prefix}:{sys.base_exec_prefix}"
    environment = {
        "LD_BIND_NOW": "1",  # else each program would look up the same symbols, and copy the pages they are noted on
        "PYTHONHASHSEED": "0",  # the order of a set must not depend on the worker
        "PYTHONHOME": home,
    }
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    with step("read the interpreter's files inside the jail"):
        _read_samples()
        path = rootfs.executable()
        os.execve(path, [path, *FLAGS, "-c", code], environment)  # noqa: S606
    raise AssertionError("execve returned")


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _fork_into_pid_namespace() -> None:
    with step("fork into the pid namespace"):
        child = os.fork()
    if child:
        os.closerange(3, 256)  # the control socket above all: its end must be seen when the jail dies
        os.waitpid(child, 0)
        os._exit(0)
    linux.prctl(linux.DEATH_SIGNAL, signal.SIGKILL)


def _mount_proc() -> int:
    """Two of them: one that pid 1 keeps by descriptor only, one that shows a program nothing but its own."""
    flags = NO_SUID | NO_DEV | NO_EXEC
    with step("mount /proc with processes only"):
        linux.mount("proc", "/new/proc", "proc", flags, "subset=pid")
        descriptor = os.open("/new/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        linux.detach("/new/proc")
        linux.mount("proc", "/new/proc", "proc", flags | linux.READ_ONLY, "subset=pid,hidepid=2")
    return descriptor


def _finish() -> None:
    """Leave the old file system for good, and every capability with it."""
    with step("change the root"):
        linux.mount("/new", "/new", flags=linux.BIND | linux.REC)  # what root mounted is locked here; a copy is not
        os.chdir("/new")
        linux.pivot(".", ".")
        linux.detach(".")
        os.chdir("/")
        linux.mount("none", "/", flags=linux.REC | linux.PRIVATE)
    with step("set the host name"):
        linux.set_host_name(b"sandbox")
    with step("drop capabilities"):
        linux.prctl(linux.NO_NEW_PRIVILEGES, 1)
        linux.drop_capabilities()


def _read_samples() -> None:
    """What only its owner can read would fail later, in the middle of a program, and look like the program's fault."""
    samples = [Path(os.__file__), Path(rootfs.CODE, "sandbox/zygote.py")]
    for package in Path("/packages").iterdir():
        samples += package.glob("__init__.py")
    for sample in samples:
        sample.open("rb").close()
