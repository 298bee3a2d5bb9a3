"""Metrics: against published values and against counting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.metrics import bits_per_byte, proportion, wilson


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


def test_records():
    assert proportion(0, 0, "pass_at_1", "passed") == {"pass_at_1": 0.0, "passed": 0, "n": 0, "low": 0.0, "high": 1.0}
    assert proportion(5, 10, "exact_match", "correct")["exact_match"] == 0.5
    assert bits_per_byte(math.log(2) * 30, 10) == pytest.approx(3.0)
