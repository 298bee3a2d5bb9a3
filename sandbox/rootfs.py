"""The file system of a jail: what a program can see, made under /new while the old one is under /old.

Guarantees: a read-only /usr, the interpreter's programs and library, the packages asked for, five harmless devices,
an empty /tmp and /etc with two lines; nothing else of the host, above all no installed package that was not asked
for: a benchmark with its answers may be among them. Costs: 10 to 20 ms. Leaves out: hiding what lies in /usr itself,
which every program can read. Source: mount_namespaces(7), on locked flags.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

from sandbox.linux import (
    BIND,
    NO_ATIME,
    NO_DEV,
    NO_DIR_ATIME,
    NO_EXEC,
    NO_SUID,
    PRIVATE,
    READ_ONLY,
    REC,
    REL_ATIME,
    REMOUNT,
    mount,
    pivot,
    step,
)

INNER = 1000  # the uid and gid seen inside: not 0, for which the kernel does not count processes
CODE = "/boot"  # where the sandbox's own package is seen inside

_KEPT_FLAGS = {
    "nosuid": NO_SUID,
    "nodev": NO_DEV,
    "noexec": NO_EXEC,
    "noatime": NO_ATIME,
    "nodiratime": NO_DIR_ATIME,
    "relatime": REL_ATIME,
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_ETC = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/java-17-openjdk",
)
_OF_PREFIX = ("bin", "lib", "lib64")  # not all of it: a conda prefix holds other environments and their sockets
# /dev/full reads as zeros too; the real /dev/zero maps as shared memory that no limit counts
_DEVICES = {"null": "null", "zero": "full", "full": "full", "random": "random", "urandom": "urandom"}
_STAGE = "/tmp"  # hidden under a mount of our own, in a mount namespace of our own


def build(packages: list[str], toolchains: str | None) -> None:
    """The new file system under /new, the old one under /old."""
    with step("use an interpreter outside /tmp"):
        _refuse_hidden(executable(), sys.base_prefix)
    system = _system_paths()
    real = {os.path.realpath(package): Path(package).name for package in packages}
    code = os.path.realpath(Path(__file__).parent)
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
        _bind(code, f"{CODE}/sandbox")
        if toolchains is not None:
            _bind(toolchains, "/toolchains")
    with step("fill /dev and /etc"):
        _fill()
    with step("make every mount read-only"):
        _make_read_only()


def executable() -> str:
    """The interpreter itself: behind a virtual environment and every link."""
    return os.path.realpath("/proc/self/exe")


def _refuse_hidden(*paths: str) -> None:
    for path in paths:
        if f"{path}/".startswith("/tmp/"):
            raise OSError(errno.ENOTSUP, "programs get an empty /tmp, which would hide it", path)


def _system_paths() -> dict[str, str]:
    """What the interpreter and ordinary tools need: path -> where it really is, asked while links still lead there."""
    prefixes = {sys.base_prefix, sys.base_exec_prefix, os.path.realpath(sys.base_prefix)}
    of_prefix = [f"{prefix}/{name}" for prefix in sorted(prefixes) for name in _OF_PREFIX]
    wanted = (*_SYSTEM, *of_prefix, *filter(None, sys.path), executable(), *_mapped_files(), *_ETC)
    return {path: os.path.realpath(path) for path in wanted if Path(path).exists()}


def _mapped_files() -> list[str]:
    """The shared libraries of this interpreter, wherever a relocated one has them."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        rows = [line.rstrip("\n").split(maxsplit=5) for line in file]
    return sorted({row[5] for row in rows if len(row) == 6 and row[5].startswith("/")})


def _bind_system(paths: dict[str, str]) -> list[str]:
    """Bind what the interpreter and ordinary tools need. Returns what was bound."""
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
        for middle in ("", "lib*/", "local/lib*/"):
            for folder in Path(f"/new{root}").glob(f"{middle}python*/*-packages"):
                mount("tmpfs", str(folder), "tmpfs", NO_SUID | NO_DEV, "mode=0755,size=4k")


def _fill() -> None:
    for name, real in _DEVICES.items():
        _bind(f"/dev/{real}", f"/dev/{name}")
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
