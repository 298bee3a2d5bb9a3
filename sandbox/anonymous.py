"""mmap.mmap(-1, ...) for programs: shared memory without a name, from a file that the disk limit counts.

Guarantees: processes that come from one another share it, as they would the kernel's own, which is refused: no limit
counts it. Costs: a descriptor each. Leaves out: interpreters that a program starts; there the kernel's refusal stays.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

_real = mmap.mmap


class _Map(_real):
    """mmap.mmap, but for shared maps of no file."""

    def __new__(cls, fileno: int, length: int, flags: int = mmap.MAP_SHARED, *rest: Any, **options: Any) -> _Map:
        if fileno != -1 or not flags & mmap.MAP_SHARED or options.get("access") == mmap.ACCESS_COPY:
            return _real.__new__(cls, fileno, length, flags, *rest, **options)
        if options.get("access"):
            flags = mmap.MAP_SHARED  # what it is by default, and must be where access is given
        descriptor = os.open("/tmp", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, length)
            return _real.__new__(cls, descriptor, length, flags & ~mmap.MAP_ANONYMOUS, *rest, **options)
        finally:
            os.close(descriptor)  # the map has a copy


def install() -> None:
    """In pid 1, for every program."""
    _Map.__name__ = _Map.__qualname__ = "mmap"
    _Map.__module__ = "mmap"
    mmap.mmap = _Map  # type: ignore[misc]
