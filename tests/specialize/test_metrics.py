"""Metrics: against published values and against counting."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.metrics import bits_per_byte, pass_at_k, proportion, wilson


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(passed, n, low, high):
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_proportion_and_stays_inside(pair):
    passed, n = pair
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n <= high <= 1
    assert math.copysign(1, low) == 1


@pytest.mark.parametrize(("n", "passed"), [(5, 0), (5, 2), (6, 5), (4, 4)])
def test_pass_at_k_is_the_share_of_draws_with_a_pass(n, passed):
    for k in range(1, n + 1):
        draws = list(itertools.combinations([True] * passed + [False] * (n - passed), k))
        assert pass_at_k(n, passed, k) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))


@pytest.mark.parametrize(("n", "passed", "k"), [(0, 0, 1), (3, 4, 1), (3, 1, 4), (3, 1, 0)])
def test_pass_at_k_of_nothing_is_refused(n, passed, k):
    with pytest.raises(ValueError, match=f"got n={n}, passed={passed}, k={k}"):
        pass_at_k(n, passed, k)


def test_records():
    assert proportion(0, 0, "pass_at_1", "passed") == {"pass_at_1": 0.0, "passed": 0, "n": 0, "low": 0.0, "high": 1.0}
    assert proportion(5, 10, "exact_match", "correct")["exact_match"] == 0.5
    assert bits_per_byte(math.log(2) * 30, 10) == pytest.approx(3.0)
