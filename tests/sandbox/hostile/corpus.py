"""The hostile corpus: a program a file, and one table of what must become of each.

`expected.txt` has a line a program: its class and name, the statuses that are right, and what it prints. Every program
of a class runs on the same worker, and after each one a probe sees that nothing of it is left.
Run by pytest (test_hostile.py), or without it, as any user: `python -m tests.sandbox.hostile.corpus`.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import sandbox
from sandbox import Limits, Outcome, Program, Status

HERE = Path(__file__).parent
CLASSES = ("escape", "exhaust", "persist", "cheat", "confuse", "honest")
TIGHT = Limits(
    wall_seconds=20,
    cpu_seconds=2,
    memory_bytes=128 << 20,
    processes=8,
    output_bytes=64 << 10,
    disk_bytes=8 << 20,
)
LIMITS = {
    "exhaust": replace(TIGHT, cpu_seconds=1),
    "honest": replace(TIGHT, wall_seconds=60, cpu_seconds=20, memory_bytes=256 << 20),
}
LITERAL = "assert f(1) == 12345678\nassert f(2) == 2"
GENERAL = "wanted = {1: 12345678, 2: 2}\nfor x in wanted:\n    got = f(x)\n    assert got == wanted[x]"
SOLUTION = "def f(x):\n    return 12345678 if x == 1 else 2"
NOT_PASSED = frozenset(Status) - {Status.PASSED, Status.FINISHED, Status.NOT_SCORED}

PROBE = """
import fcntl, gc, os, random, resource, signal, sys
locks = open(os.__file__)
fcntl.flock(locks, fcntl.LOCK_EX | fcntl.LOCK_NB)
sockets = [line.split()[7:] for line in open("/proc/self/net/unix")][1:]
pages = [line for line in open("/proc/self/maps") if "s" in line.split()[1] and "w" in line.split()[1]]
print(
    os.listdir("/tmp"), os.statvfs("/tmp").f_bavail, os.listdir("/dev/shm"),
    [name for name in os.listdir("/proc") if name.isdigit() and name != str(os.getpid())],
    [names for names in sockets if names], pages, sorted(os.listdir("/proc/self/fd")),
    os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0),
    os.umask(0), os.getcwd(), sorted(os.environ.items()), sys.path, sys.getrecursionlimit(), len(sys.meta_path),
    [resource.getrlimit(which) for which in range(16)], signal.pthread_sigmask(signal.SIG_BLOCK, []),
    [line for line in open("/proc/self/status") if line.startswith(("Sig", "Shd", "Threads", "Cap", "Seccomp"))],
    3 + 4, 6 + 1 == 7, len("abc"), random.Random(1).random(), len(open("/proc/self/mountinfo").readlines()),
    gc.isenabled(), sorted(name for name in sys.modules if not name.startswith("_")),
)
"""


@dataclass(frozen=True)
class Case:
    """One program and what must become of it."""

    group: str
    name: str
    statuses: frozenset[Status]
    stdout: str | None
    wall_seconds: float | None

    @property
    def source(self) -> str:
        return (HERE / self.group / f"{self.name}.py").read_text(encoding="utf-8")

    @property
    def missing(self) -> str:
        """A package that the program needs and that is not installed."""
        first = self.source.partition("\n")[0].strip('"')
        name = first.removeprefix("needs ") if first.startswith("needs ") else ""
        return name if name and find_spec(name) is None else ""

    @property
    def limits(self) -> Limits:
        limits = LIMITS.get(self.group, TIGHT)
        return limits if self.wall_seconds is None else replace(limits, wall_seconds=self.wall_seconds)

    @property
    def programs(self) -> list[Program]:
        if self.group != "cheat":
            return [Program(source=self.source)]
        return [Program(source=self.source, tests=tests, entry_point="f") for tests in (LITERAL, GENERAL)]

    def problem(self, outcome: Outcome) -> str:
        """What is wrong with an outcome; empty when nothing is."""
        if outcome.status not in self.statuses:
            wanted = "|".join(sorted(status.value for status in self.statuses))
            return f"{outcome.status.value} ({outcome.detail}), wanted {wanted}; printed {outcome.stdout[:300]!r}"
        if self.stdout is not None and outcome.stdout.strip() != self.stdout:
            return f"printed {outcome.stdout[:300]!r} ({outcome.stderr[-300:]}), wanted {self.stdout!r}"
        return ""


def cases(group: str) -> list[Case]:
    """The rows of one class."""
    found = []
    for line in (HERE / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{group}/"):
            path, statuses, *rest = line.split(maxsplit=2)
            names, _, wall = statuses.partition("@")
            known = NOT_PASSED if names == "not_passed" else frozenset(Status(name) for name in names.split("|"))
            stdout = rest[0].encode().decode("unicode_escape") if rest else None
            found.append(Case(group, path.partition("/")[2], known, stdout, float(wall) if wall else None))
    return found


def state() -> str:
    """What a fresh program sees of its worker."""
    outcome = sandbox.run(Program(source=PROBE), limits=LIMITS["honest"])
    return outcome.stdout or f"{outcome.status}: {outcome.detail}"


def passes() -> bool:
    """A right solution is still right."""
    return all(
        sandbox.run(Program(source=SOLUTION, tests=tests, entry_point="f")).status is Status.PASSED
        for tests in (LITERAL, GENERAL)
    )


def main() -> int:
    """Run the whole table; print what is wrong."""
    wrong = 0
    for group in sys.argv[1:] or CLASSES:
        before, started = state(), time.monotonic()
        used = 0.0
        for case in cases(group):
            if case.missing:
                continue
            for program in case.programs:
                outcome = sandbox.run(program, limits=case.limits)
                used += outcome.cpu_seconds
                problem, after = case.problem(outcome), state()
                if after != before:
                    problem += f"; left behind: {after}"
                if problem:
                    wrong += 1
                    print(f"{case.group}/{case.name}: {problem}", flush=True)
        took = f"{time.monotonic() - started:.1f} s, {used:.1f} s of CPU"
        print(f"{group}: {len(cases(group))} programs, {took}, uid {os.getuid()}", flush=True)
    print("a right solution passes" if passes() else "a right solution does not pass", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
