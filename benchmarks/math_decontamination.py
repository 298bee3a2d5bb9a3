"""What decontamination finds of math questions, what it takes for one and is none, and what it costs.

`python benchmarks/math_decontamination.py [--set math=~/MATH/test.jsonl] [--train math=~/MATH/train.jsonl]`. Recall: the questions
of each test set, changed in fourteen ways (`question_copies.py`): how many are found as contaminated, and how many by any rule,
which is what a row made here is held to. False alarms: training questions of the same sets, none of which was taken from a test
question by us. Cost: rows a CPU second of one process, all sets indexed. A set of `--set` is a name of `corpora.benchmarks.known`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.question_copies import COPIES, copy
from corpora import benchmarks
from corpora.benchmarks import BenchmarkProblem, rowfiles
from corpora.benchmarks.files import BenchmarkFiles
from corpora.benchmarks.known import KNOWN, known
from corpora.math.decontaminate import DecontaminateMathConfig
from corpora.math.overlap import CONTAMINATED, QuestionIndex

CONFIG = DecontaminateMathConfig()


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=PATH", help="another test set")
    parser.add_argument("--train", action="append", default=[], metavar="NAME=PATH", help="training questions of a set")
    parser.add_argument("--every", type=int, default=4, help="each so many-th question is changed (4)")
    options = parser.parse_args()
    tests = {"gsm8k": benchmarks.load("gsm8k", "test")}
    for name, _, path in (given.partition("=") for given in options.set):
        root = Path(path).expanduser()
        tests[name] = BenchmarkFiles(((name, path),)).load(known(name, rowfiles.digest(root)))
    train = {"gsm8k train": [problem.question for problem in benchmarks.load("gsm8k", "train")]}
    for name, _, path in (given.partition("=") for given in options.train):
        train[f"{name} train"] = _questions(name, Path(path).expanduser())
    index = QuestionIndex([problem for problems in tests.values() for problem in problems], CONFIG)
    index.overlaps(["Compile what is compiled on first use, before the clock starts."])
    for name, problems in tests.items():
        _recall(index, name, problems[:: options.every])
    for name, questions in train.items():
        _alarms(index, name, questions)


def _questions(name: str, root: Path) -> list[str]:
    found = (one for file, path in rowfiles.files_below(root) for one in rowfiles.rows_of(file, path.read_bytes()))
    cells = (rowfiles.cell(one.row, KNOWN[name]["question"]) for one in found if one.row)
    return [cell for cell in cells if cell]


def _shares(index: QuestionIndex, questions: Sequence[str]) -> tuple[float, float, float]:
    """Give the percent found as contaminated and by any rule, and rows a CPU second."""
    start = time.process_time()
    found = index.overlaps(questions)
    seconds = time.process_time() - start
    contaminated = sum(any(one.verdict == CONTAMINATED for one in overlaps) for overlaps in found)
    return 100 * contaminated / len(found), 100 * sum(map(bool, found)) / len(found), len(found) / seconds


def _recall(index: QuestionIndex, name: str, problems: Sequence[BenchmarkProblem]) -> None:
    print(f"\n| {name}, {len(problems)} questions | contaminated | any rule |\n|---|--:|--:|")
    for change in COPIES:
        contaminated, any_rule, _ = _shares(index, [copy(change, problem.question) for problem in problems])
        print(f"| {change} | {contaminated:.1f}% | {any_rule:.1f}% |", flush=True)


def _alarms(index: QuestionIndex, name: str, questions: Sequence[str]) -> None:
    contaminated, any_rule, rate = _shares(index, questions)
    print(
        f"\n{name}: {len(questions)} questions, {contaminated:.2f}% contaminated, {any_rule:.2f}% by any rule; ", end=""
    )
    print(f"{rate:,.0f} rows a CPU second", flush=True)


if __name__ == "__main__":
    main()
