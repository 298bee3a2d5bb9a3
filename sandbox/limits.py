"""The kernel's limits on a process: those of every program, set once in pid 1, and those of one program.

Guarantees: never above what this process itself may have. Leaves out: sums over the processes of a program, which the
kernel does not bound (sandbox.meter). Source: getrlimit(2), core(5).
"""

from __future__ import annotations

import resource
import signal
import sys
from functools import cache
from typing import Any

DESCRIPTORS = 64  # open files a program
_LIMITED = (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_AS)


@cache
def _ceiling(which: int) -> int:
    """What this process may set at most; asked once for those that every program's limits need."""
    hard = resource.getrlimit(which)[1]
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def _lower(which: int, limit: int) -> None:
    limit = min(limit, _ceiling(which))
    resource.setrlimit(which, (limit, limit))


def set_common() -> None:
    """In pid 1: what every program inherits."""
    # at 0 a crash would still start the host's handler, as root, where core_pattern is a pipe; at 1 the kernel does not
    _lower(resource.RLIMIT_CORE, 1)
    for which in (
        resource.RLIMIT_MSGQUEUE,
        resource.RLIMIT_MEMLOCK,
        resource.RLIMIT_NICE,
        resource.RLIMIT_RTPRIO,
    ):
        _lower(which, 0)
    _lower(resource.RLIMIT_SIGPENDING, 1024)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for which in _LIMITED:
        _ceiling(which)


def rows_for(order: dict[str, Any], base_bytes: int) -> list[tuple[int, tuple[int, int]]]:
    """A program's limits as setrlimit takes them. `base_bytes` of its address space it has from pid 1."""
    cpu = min(order["cpu"], _ceiling(resource.RLIMIT_CPU))
    values = (order["disk"], order["processes"], base_bytes + order["address_space"])
    limited = [(which, min(value, _ceiling(which))) for which, value in zip(_LIMITED[1:], values, strict=True)]
    of_cpu = (resource.RLIMIT_CPU, (cpu, min(cpu + 1, _ceiling(resource.RLIMIT_CPU))))
    return [of_cpu, *((which, (limit, limit)) for which, limit in limited)]


def virtual_bytes() -> int:
    """The address space of this process."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
