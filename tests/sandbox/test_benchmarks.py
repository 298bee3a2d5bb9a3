"""Canonical solutions of the benchmarks pass, or their tests are not literal; nothing else happens to them."""

import collections

import pytest

import sandbox
from sandbox import Program, Status

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]


def outcomes(name, split, step):
    """Every so many problems: solutions by their own tests, and what became of them."""
    benchmarks = pytest.importorskip("corpora.benchmarks")
    programs = [
        Program(
            source=(problem.prompt if name == "humaneval" else "") + problem.solution,
            tests=problem.tests,
            entry_point=problem.entry_point or None,
        )
        for problem in benchmarks.load(name, split)[::step]
    ]
    return programs, sandbox.run_many(programs, workers=2)


@pytest.mark.parametrize(
    ("name", "split", "step", "least"),
    [
        pytest.param("humaneval", "test", 5, 0.9, id="humaneval sample"),
        pytest.param("mbpp", "train", 10, 0.9, id="mbpp sample"),
        pytest.param("humaneval", "test", 1, 0.95, id="humaneval", marks=pytest.mark.slow),
        pytest.param("mbpp", "test", 1, 0.98, id="mbpp", marks=pytest.mark.slow),
    ],
)
def test_canonical_solutions_pass_where_the_tests_are_literal(name, split, step, least):
    programs, found = outcomes(name, split, step)
    counts = collections.Counter(outcome.status for outcome in found)
    assert set(counts) <= {Status.PASSED, Status.NOT_SCORED}, [o for o in found if o.status is not Status.PASSED]
    assert counts[Status.PASSED] >= least * len(programs)


def test_solutions_of_other_problems_do_not_pass():
    programs, _ = outcomes("mbpp", "train", 20)
    name = "candidate_under_test"
    swapped = [
        Program(
            source=f"{other.source}\n{name} = [v for k, v in list(globals().items()) if callable(v)][-1]", tests=tests
        )
        for other, tests in zip(programs[1:], [p.tests for p in programs], strict=False)
    ]
    statuses = [outcome.status for outcome in sandbox.run_many(swapped, workers=2)]
    assert Status.PASSED not in statuses
