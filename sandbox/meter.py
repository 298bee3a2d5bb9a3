"""What all processes of a program use: processor time and resident memory, summed by pid 1.

Guarantees: every process of the jail is counted, whatever it did to its name, session, parent or credentials, and
memory that several share is counted once before a program is ended for it. Costs: 30 microseconds and 10 a process, a look;
nothing for a program that ends before the first. Leaves out: the time of a child whose parent ignores SIGCHLD, once it is
gone between two looks (the wall limit bounds it), and kernel memory of pipes and sockets (descriptors bound it).
Source: proc(5), fields of /proc/pid/stat; the kernel's sched-stats.rst for /proc/pid/schedstat.
"""

from __future__ import annotations

import contextlib
import os
import resource
from dataclasses import dataclass

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()
_LARGE = 4 << 30  # bytes of address space, whose page tables take 8 MB


@dataclass(frozen=True)
class Use:
    """What the processes of a program use now."""

    cpu_seconds: float
    resident_bytes: int  # above what each shares with pid 1, page tables too; shared pages are counted for each
    orphans: list[int]  # dead children of pid 1, still to be waited for


class Meter:
    """Reads one /proc, by descriptor, from the process that is pid 1 in it."""

    def __init__(self, proc: int) -> None:
        self._proc = proc
        self._base_pages = 0
        self._base_pages = int(self._stat("1")[21])

    def look(self) -> Use:
        """One pass over every process of the jail."""
        ticks = pages = tables = 0
        orphans = []
        for name in self._processes():
            with contextlib.suppress(OSError, IndexError):  # it has just ended
                fields = self._stat(name)
                ticks += sum(map(int, fields[11:15]))  # its own and its waited-for children's, user and system
                pages += max(0, int(fields[21]) - self._base_pages)
                tables += self._page_tables(name, fields)
                if fields[0] == b"Z" and fields[1] == b"1":
                    orphans.append(int(name))
        return Use(ticks / _TICKS, pages * _PAGE + tables, orphans)

    def proportional_bytes(self) -> int:
        """Resident memory with what N processes share counted as a Nth each. Costs a walk over their pages."""
        return sum(self._proportional(name) for name in self._processes()) + self._all_page_tables()

    def waited_seconds(self) -> float:
        """Time that its living processes were ready to run and had no core; 0 where the kernel does not tell."""
        total = 0
        for name in self._processes():
            with contextlib.suppress(OSError, IndexError):
                total += int(self._read(f"{name}/schedstat").split()[1])
        return total / 1e9

    def _all_page_tables(self) -> int:
        total = 0
        for name in self._processes():
            with contextlib.suppress(OSError, IndexError):
                total += self._page_tables(name, self._stat(name))
        return total

    def _page_tables(self, name: str, fields: list[bytes]) -> int:
        """Bytes of them where they can be many: a page of zeros is not resident, the tables that lead to it are."""
        if int(fields[20]) < _LARGE:
            return 0
        _, _, rest = self._read(f"{name}/status").partition(b"VmPTE:")
        return int(rest.split()[0]) << 10

    def _proportional(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in self._read(f"{name}/smaps_rollup").splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) << 10
        with contextlib.suppress(OSError, IndexError):  # it made itself unreadable
            return int(self._stat(name)[21]) * _PAGE
        return 0

    def count_sockets(self) -> int:
        """AF_UNIX sockets made in this network namespace, also those that no process holds any more."""
        return self._read("1/net/unix").count(b"\n") - 1  # the heading

    def _processes(self) -> list[str]:
        names = os.listdir(self._proc)  # noqa: PTH208 - by descriptor
        return [name for name in names if name.isdigit() and name != "1"]

    def _stat(self, name: str) -> list[bytes]:
        """The fields after the command's name, which can hold anything, a `)` too: state, parent, ..."""
        return self._read(f"{name}/stat").rpartition(b")")[2].split()

    def _read(self, path: str) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
