"""The blend: the whole budget is spent, no cap is broken, and uncapped sources keep the proportion of their weights."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corpora.blend import blend

sources = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.integers(0, 10_000), st.floats(0.001, 100)), min_size=1
)


@given(sources, st.floats(0.5, 8), st.floats(0, 1))
def test_the_budget_is_spent_and_no_cap_is_broken(drawn, max_epochs, share):
    available = {name: units for name, (units, _) in drawn.items()}
    weights = {name: weight for name, (_, weight) in drawn.items()}
    caps = {name: int(units * max_epochs) for name, units in available.items()}
    budget = int(share * sum(caps.values()))
    found = blend(available, weights, budget, max_epochs)
    assert sum(found.values()) == budget
    assert all(found[name] <= caps[name] for name in found)
    free = [name for name in found if found[name] < caps[name] - 1]
    for one in free:
        for other in free:
            assert found[one] / weights[one] <= (found[other] + 2) / weights[other] + 2 / weights[one]


@given(sources, st.floats(1, 4))
def test_more_weight_is_never_less(drawn, factor):
    available = {name: units for name, (units, _) in drawn.items()}
    weights = {name: weight for name, (_, weight) in drawn.items()}
    budget, name = sum(available.values()) // 2, min(available)
    assume(budget > 0)
    more = blend(available, weights | {name: weights[name] * factor}, budget, 1)
    assert more[name] >= blend(available, weights, budget, 1)[name] - 1


def test_a_source_without_weight_gives_nothing():
    assert blend({"a": 10, "b": 10}, {"a": 1.0, "b": 0.0}, 7, 1) == {"a": 7}


def test_too_large_a_budget_is_refused():
    with pytest.raises(ValueError, match=r"a budget of 50 is above the 40 that 4 epochs of a give"):
        blend({"a": 10}, {"a": 1.0}, 50, 4)
