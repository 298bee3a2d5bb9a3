"""The descriptors of pid 1 and of what it forks: streams, the marks pipe, and where each lies.

Guarantees: the numbers a program gets (0 to HOST) and MARK are never those of pid 1's own. The standard streams are
made once, before the fork, and fit whatever is put under their numbers later.
"""

from __future__ import annotations

import fcntl
import io
import os
import socket
import struct
import sys
from os import SEEK_END, lseek, pread

from sandbox.child import HOST

_SPACE = socket.CMSG_SPACE(4 * 8)  # for eight descriptors
MARK = HOST + 1  # of the marks pipe, in the end that is written


def move_above(descriptor: int, number: int) -> int:
    """The same file under a descriptor that programs' own will not take."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, number + 1)
    os.close(descriptor)
    return moved


def prepare() -> int:
    """Streams for programs, /dev/null under every number they get, the marks pipe. Returns its end for reading."""
    read, write = os.pipe()
    # streams made on a pipe fit whatever a program gets later; on a file they would remember a position
    for number in range(HOST + 1):
        os.dup2(read if number == 0 else write, number)
    os.close(read)
    os.close(write)
    _make_streams()
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(HOST + 1):
        os.dup2(null, number)
    os.close(null)
    marks, mark = (move_above(end, MARK) for end in os.pipe())
    os.dup2(mark, MARK, inheritable=False)
    os.close(mark)
    os.set_blocking(marks, False)
    return marks


def _make_streams() -> None:
    reader = io.BufferedReader(io.FileIO(0, "r"))
    sys.stdin = io.TextIOWrapper(reader, encoding="utf-8", errors="surrogateescape")
    writer = io.BufferedWriter(io.FileIO(1, "w"))
    sys.stdout = io.TextIOWrapper(writer, encoding="utf-8", errors="backslashreplace")
    errors = io.BufferedWriter(io.FileIO(2, "w"))
    sys.stderr = io.TextIOWrapper(errors, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def receive(sock: socket.socket) -> tuple[bytes, tuple[int, ...]]:
    """A packet, and the descriptors that came with it."""
    packet, passed, _, _ = sock.recvmsg(4096, _SPACE)
    return packet, struct.unpack(f"{len(passed[0][2]) // 4}i", passed[0][2]) if passed else ()


def read_file(descriptor: int) -> str:
    """The whole of a file that was passed."""
    return pread(descriptor, lseek(descriptor, 0, SEEK_END), 0).decode("utf-8", "surrogatepass")


def read_available(descriptor: int) -> bytes:
    """What is in a pipe that does not block."""
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""
