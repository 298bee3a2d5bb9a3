"""Judge what a model wrote, trusting none of it.

`run(Program(...), limits=Limits(...)) -> Outcome` and `run_many(programs, workers=...)`. Five rules hold:
pass is decided from plain data by a process that never ran the candidate; a worker is one jail (namespaces,
seccomp, no environment) with a fork per program; root is given up before anything else; a fault of the machine
is never a verdict; without isolation nothing runs (`SandboxUnavailable`). Linux on x86-64 or aarch64 only.

Names load on first use: the process inside the jail imports this package too and wants none of the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.pool import check, run, run_many
    from sandbox.program import LanguageUnavailable, Limits, Outcome, Program, SandboxUnavailable, Status
    from sandbox.verdict import doctest_asserts

__all__ = [
    "LanguageUnavailable",
    "Limits",
    "Outcome",
    "Program",
    "SandboxUnavailable",
    "Status",
    "check",
    "doctest_asserts",
    "run",
    "run_many",
]

_HOMES = {"check": "pool", "run": "pool", "run_many": "pool", "doctest_asserts": "verdict"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    return getattr(import_module(f"sandbox.{_HOMES.get(name, 'program')}"), name)
