"""Canonical solutions of the benchmarks pass, by literal tests and by tests in a process of their own; others do not."""

import collections
import itertools
import random

import pytest

import sandbox
from sandbox import Limits, Program, Status, judge, literal
from sandbox.worker import Worker

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
PATIENT = Limits(wall_seconds=120, cpu_seconds=30)
MBPP = ("train", "test", "validation", "prompt")


def programs(name, splits, step=1):
    """Every so many problems: solutions with their own tests, by the problem's id."""
    benchmarks = pytest.importorskip("corpora.benchmarks")
    return {
        problem.id: Program(
            source=(problem.prompt if name == "humaneval" else "") + problem.solution,
            tests=problem.tests,
            entry_point=problem.entry_point or None,
            context=problem.prompt if name == "humaneval" else "",
        )
        for split in splits
        for problem in benchmarks.load(name, split)[::step]
    }


def judged_by_tests(chosen):
    """On the general path, literal or not. The two jails change places after every program."""
    workers = [Worker(), Worker()]
    try:
        for name, program in chosen:
            yield name, judge.judge_by_tests(*workers, program, PATIENT)
            workers.reverse()
    finally:
        for worker in workers:
            worker.close()


def failures(outcomes):
    return {name: outcome for name, outcome in outcomes if outcome.status is not Status.PASSED}


@pytest.mark.parametrize(("name", "splits", "step"), [("humaneval", ["test"], 8), ("mbpp", ["train"], 20)])
def test_canonical_solutions_pass(name, splits, step):
    chosen = programs(name, splits, step)
    outcomes = sandbox.run_many(chosen.values(), limits=PATIENT, workers=2)
    assert failures(zip(chosen, outcomes, strict=True)) == {}
    assert failures(judged_by_tests(chosen.items())) == {}


def test_which_canonical_solutions_need_a_process_for_their_tests():
    needs = collections.Counter()
    for name, splits in (("humaneval", ["test"]), ("mbpp", MBPP)):
        for program in programs(name, splits).values():
            try:
                literal.parse_tests(program.tests, program.entry_point)
            except literal.NotLiteral:
                needs[name] += 1
    assert needs == {"humaneval": 6, "mbpp": 5}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_all_canonical_solutions_pass_in_any_order_and_under_load(seed):
    """Twice as many jails as cores, and each problem by both paths."""
    chosen = list((programs("humaneval", ["test"]) | programs("mbpp", MBPP)).items())
    assert len(chosen) == 164 + 974
    random.Random(seed).shuffle(chosen)
    outcomes = sandbox.run_many([program for _, program in chosen], limits=PATIENT, workers=4)
    assert failures(zip([name for name, _ in chosen], outcomes, strict=True)) == {}
    assert failures(judged_by_tests(chosen)) == {}


@pytest.mark.parametrize("by_tests", [False, True])
def test_solutions_of_other_problems_do_not_pass(by_tests):
    chosen = list(programs("mbpp", ["train"], 20).items())
    name = "candidate_under_test"
    swapped = [
        (
            problem,
            Program(
                source=f"{other.source}\n{name} = [v for k, v in list(globals().items()) if callable(v)][-1]",
                tests=program.tests,
            ),
        )
        for (problem, program), (_, other) in itertools.pairwise(chosen)
    ]
    if by_tests:
        outcomes = [outcome for _, outcome in judged_by_tests(swapped)]
    else:
        outcomes = sandbox.run_many([program for _, program in swapped], workers=2)
    assert Status.PASSED not in {outcome.status for outcome in outcomes}
