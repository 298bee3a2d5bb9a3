"""The system calls that Python does not have, and the name of the step that was refused.

Guarantees: each raises OSError with the kernel's errno. Leaves out: machines other than x86-64 and aarch64. Source:
mount(2), unshare(2), pivot_root(2), prctl(2), capset(2), user_namespaces(7); numbers from the kernel's headers.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import close, write
from os import open as open_file

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, NO_ATIME, NO_DIR_ATIME = 1, 2, 4, 8, 32, 1024, 2048
BIND, REC, PRIVATE, REL_ATIME = 4096, 16384, 1 << 18, 1 << 21
DETACH = 2
DEATH_SIGNAL, DUMPABLE, NO_NEW_PRIVILEGES = 1, 4, 38  # prctl

_libc = ctypes.PyDLL(None, use_errno=True)  # which keeps the interpreter's lock: one thread, and one system call less
# looked up, and made, once: to do it in the child of a fork is to copy forty pages each time
_fork, _unshare, _mount, _capset = _libc.fork, _libc.unshare, _libc.mount, _libc.capset
_WRITE = os.O_WRONLY | os.O_CLOEXEC
_TMPFS_FLAGS = ctypes.c_ulong(NO_SUID | NO_DEV)
_THIS_PROCESS = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()


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


def _failure(*what: object) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code), *what)


def _checked(result: int, *what: object) -> None:
    if result:
        raise _failure(*what)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. os.unshare is there from Python 3.12 only."""
    if _unshare(flags):
        raise _failure()


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, bind or remount, as in the manual page."""
    arguments = (source.encode(), target.encode(), kind.encode() or None)
    _checked(_mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), target)


def mount_tmpfs(target: bytes, options: bytes) -> None:
    """The same in a program's process, where each page touched is a page copied."""
    if _mount(b"tmpfs", target, b"tmpfs", _TMPFS_FLAGS, options):
        raise _failure(target)


def detach(target: str) -> None:
    """Take a mount out of the tree; descriptors into it stay good."""
    _checked(_libc.umount2(target.encode(), DETACH), target)


def pivot(new: str, old: str) -> None:
    """Change the root of the mount namespace: pivot_root(2), which libc does not wrap."""
    number = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, 155)
    _checked(_libc.syscall(number, new.encode(), old.encode()), new)


def prctl(option: int, value: int) -> None:
    """Set a property of this process, as in the manual page."""
    _checked(_libc.prctl(option, value, 0, 0, 0))


def set_host_name(name: bytes) -> None:
    """Of the uts namespace."""
    _checked(_libc.sethostname(name, len(name)))


def map_user(inner: int, uid: int, gid: int, proc: int) -> None:
    """Inside a new user namespace: `inner` stands for the given ids, and nothing else exists.

    `proc` is a descriptor of a writable /proc.
    """
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inner} {uid} 1"), ("gid_map", f"{inner} {gid} 1")):
        write_at(proc, f"self/{name}", text.encode())


def write_at(folder: int, path: str, text: bytes) -> None:
    """Write a kernel file in one call."""
    descriptor = open_file(path, _WRITE, dir_fd=folder)
    try:
        write(descriptor, text)
    finally:
        close(descriptor)


def drop_capabilities() -> None:
    """Give up every capability of this process in its user namespace."""
    if _capset(_THIS_PROCESS, _NO_CAPABILITIES):
        raise _failure()


def fork() -> int:
    """Without what Python does around it: for a process that has one thread and holds no lock.

    os.fork would put threads in order and seed `random` again: 140 pages copied, 0.3 ms.
    """
    pid: int = _fork()
    if pid < 0:
        raise _failure("fork")
    return pid
