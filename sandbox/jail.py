"""One jail a worker: new user, mount, pid, net, ipc and uts namespaces around a file system made for it.

Guarantees: inside are a read-only /usr, the interpreter, the packages asked for, five harmless devices, a /proc
with processes only, and no network. Root is given up (uid 65534) before the user namespace exists: mapped from
root, a program without any capability could still write kernel settings, because their files belong to root. What
only root can read, such as an interpreter under /root, is bound before that. Other installed packages are hidden:
a benchmark with its answers may be among them.
Costs: 20 to 40 ms once. Leaves out: cgroups (root only, and slow to make). Runs in the fresh interpreter of a worker,
never in the caller. Source: namespaces(7), pivot_root(2), user_namespaces(7).
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534  # the uid and gid that root becomes
INNER = 1000  # the uid and gid seen inside: not 0, for which the kernel does not count processes

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, NO_ATIME, NO_DIR_ATIME = 1, 2, 4, 8, 32, 1024, 2048
BIND, REC, PRIVATE, REL_ATIME = 4096, 16384, 1 << 18, 1 << 21
DETACH = 2
DEATH_SIGNAL, DUMPABLE, NO_NEW_PRIVILEGES = 1, 4, 38  # prctl

_KEPT_FLAGS = {
    "nosuid": NO_SUID,
    "nodev": NO_DEV,
    "noexec": NO_EXEC,
    "noatime": NO_ATIME,
    "nodiratime": NO_DIR_ATIME,
    "relatime": REL_ATIME,
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_STAGE = "/tmp"  # hidden under a mount of our own, in a mount namespace of our own

_libc = ctypes.CDLL(None, use_errno=True)


class StepFailed(Exception):
    """One step of making the jail was refused."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__(f"{step}: {error}")
        self.step = step
        self.error = error


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name what is being done, for the person who has to allow it."""
    try:
        yield
    except OSError as error:
        raise StepFailed(name, error) from error


def _checked(result: int, *what: object) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), *what)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. os.unshare is there from Python 3.12 only."""
    _checked(_libc.unshare(flags))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, bind or remount, as in the manual page."""
    arguments = (source.encode(), target.encode(), kind.encode() or None)
    _checked(_libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), target)


def pivot(new: str, old: str) -> None:
    """Change the root of the mount namespace: pivot_root(2), which libc does not wrap."""
    number = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, 155)
    _checked(_libc.syscall(number, new.encode(), old.encode()), new)


def prctl(option: int, value: int) -> None:
    """Set a property of this process, as in the manual page."""
    _checked(_libc.prctl(option, value, 0, 0, 0))


def map_user(uid: int, gid: int, proc: str = "/proc") -> None:
    """Inside a new user namespace: INNER stands for the given ids, and nothing else exists."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{INNER} {uid} 1"), ("gid_map", f"{INNER} {gid} 1")):
        descriptor = os.open(f"{proc}/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def drop_capabilities() -> None:
    """Give up every capability of this process in its user namespace."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def enter(packages: list[str]) -> None:
    """Move this process into a new jail, as its pid 1. StepFailed names what was refused.

    The caller's process stays outside and only waits: it ends with the jail, and the jail with it.
    """
    is_root = os.geteuid() == 0
    spaces = NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS
    if is_root:
        with step("make a mount namespace as root"):
            unshare(NEWNS)
        _build(packages)
        with step("give up root"):
            _become_nobody()
    uid, gid = os.geteuid(), os.getegid()
    with step("make a user namespace and the others in it"):
        unshare(spaces)
    with step("map the user"):
        map_user(uid, gid, "/old/proc" if is_root else "/proc")
    if not is_root:
        _build(packages)
    _fork_into_pid_namespace()
    with step("mount /proc with processes only"):
        mount("proc", "/new/proc", "proc", NO_SUID | NO_DEV | NO_EXEC, "subset=pid")
    _finish()


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl(DUMPABLE, 1)  # a change of user makes /proc/self root's: then the id map could not be written


def _fork_into_pid_namespace() -> None:
    with step("fork into the pid namespace"):
        child = os.fork()
    if child:
        os.closerange(3, 256)  # the control socket above all: its end must be seen when the jail dies
        os.waitpid(child, 0)
        os._exit(0)
    prctl(DEATH_SIGNAL, signal.SIGKILL)


def _finish() -> None:
    """Leave the old file system for good, and every capability with it."""
    with step("change the root"):
        mount("/new", "/new", flags=BIND | REC)  # what root mounted is locked here; a copy of it is not
        os.chdir("/new")
        pivot(".", ".")
        _checked(_libc.umount2(b".", DETACH))
        os.chdir("/")
        mount("none", "/", flags=REC | PRIVATE)
    with step("set the host name"):
        name = b"sandbox"
        _checked(_libc.sethostname(name, len(name)))
    with step("drop capabilities"):
        prctl(NO_NEW_PRIVILEGES, 1)
        drop_capabilities()


def _build(packages: list[str]) -> None:
    """The new file system under /new, the old one under /old."""
    system = _system_paths()
    real = {os.path.realpath(package): Path(package).name for package in packages}
    with step("make mounts private"):
        mount("none", "/", flags=REC | PRIVATE)
    with step("mount a tmpfs"):
        mount("tmpfs", _STAGE, "tmpfs", NO_SUID | NO_DEV, "mode=0755,size=1m")
        Path(_STAGE, "old").mkdir()
        pivot(_STAGE, f"{_STAGE}/old")
        os.chdir("/")
        Path("/new").mkdir()
        mount("tmpfs", "/new", "tmpfs", NO_SUID, "mode=0755,size=1m")
    with step("bind the system and the interpreter"):
        roots = _bind_system(system)
        _hide_packages(roots)
        for package, name in real.items():
            _bind(package, f"/packages/{name}")
    with step("fill /dev and /etc"):
        _fill()
    with step("make every mount read-only"):
        _make_read_only()


def _system_paths() -> dict[str, str]:
    """What the interpreter and ordinary tools need: path -> where it really is, asked while links still lead there."""
    wanted = (*_SYSTEM, sys.base_prefix, *filter(None, sys.path), *_ETC)
    return {path: os.path.realpath(path) for path in wanted if Path(path).exists()}


def _bind_system(paths: dict[str, str]) -> list[str]:
    """Bind what the interpreter and ordinary tools need. Returns the bound folders."""
    bound: list[str] = []
    for path, real in paths.items():
        if path in _SYSTEM and Path(f"/old{path}").is_symlink():  # /bin -> usr/bin
            Path(f"/new{path}").symlink_to(Path(f"/old{path}").readlink())
        elif not any(f"{path}/".startswith(f"{done}/") for done in bound):
            _bind(real, path)
            bound.append(path)
    return bound


def _bind(source: str, target: str) -> None:
    """Make a file or folder of the old file system appear in the new one. No part of `source` may be a link."""
    source, target = f"/old{source}", f"/new{target}"
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        _write(target, "")
    mount(source, target, flags=BIND | REC)


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def _hide_packages(roots: list[str]) -> None:
    for root in roots:
        for middle in ("lib*", "local/lib*"):
            for folder in Path(f"/new{root}").glob(f"{middle}/python*/*-packages"):
                mount("tmpfs", str(folder), "tmpfs", NO_SUID | NO_DEV, "mode=0755,size=4k")


def _fill() -> None:
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"/dev/{name}")
    Path("/new/dev/fd").symlink_to("/proc/self/fd")
    Path("/new/dev/shm").symlink_to("/tmp")
    _write("/new/etc/passwd", f"user:x:{INNER}:{INNER}::/tmp:/bin/sh\n")
    _write("/new/etc/group", f"user:x:{INNER}:\n")
    for folder in ("/new/proc", "/new/tmp", "/new/packages"):
        Path(folder).mkdir(exist_ok=True)


def _make_read_only() -> None:
    """Every mount under /new, with the flags it has: a user namespace may add flags but take none away."""
    with open("/old/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        rows = [line.split() for line in file]
    for row in rows:
        target = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), row[4])
        if target == "/new" or target.startswith("/new/"):
            flags = sum(_KEPT_FLAGS.get(option, 0) for option in row[5].split(","))
            mount("none", target, flags=REMOUNT | BIND | READ_ONLY | NO_SUID | flags)
