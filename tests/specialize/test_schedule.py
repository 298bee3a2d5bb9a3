"""The learning rate over the steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.config import OptimizerConfig, PretrainConfig, Schedule
from specialize.schedule import learning_rate, warmup_steps

PEAK = 3e-5


def config(schedule, warmup=0.03):
    """A config with the schedule; the rest does not matter here."""
    optimizer = OptimizerConfig(learning_rate=PEAK)
    return PretrainConfig(
        seq_length=8,
        global_batch_size=1,
        train_steps=1,
        optimizer=optimizer,
        schedule=schedule,
        warmup_fraction=warmup,
    )


def rates(values, train_steps):
    """The rate of every step."""
    return [learning_rate(values, step=step, train_steps=train_steps) for step in range(1, train_steps + 1)]


@given(
    schedule=st.sampled_from(Schedule),
    warmup=st.floats(0, 1),
    train_steps=st.integers(1, 300),
)
def test_every_shape_is_positive_and_peaks_at_the_end_of_warm_up(schedule, warmup, train_steps):
    values = config(schedule, warmup)
    found = rates(values, train_steps)
    assert all(0 < rate <= PEAK * (1 + 1e-12) for rate in found)
    last = max(warmup_steps(values, train_steps), 1)
    if schedule is not Schedule.COSINE or warmup_steps(values, train_steps):
        assert found[last - 1] == PEAK
    assert found[:last] == sorted(found[:last])


@pytest.mark.parametrize("schedule", [Schedule.CONSTANT, Schedule.COSINE_RAMP])
def test_the_reports_shapes_stay_at_the_peak(schedule):
    assert set(rates(config(schedule), 1000)[29:]) == {PEAK}


def test_the_cosine_ends_at_a_tenth():
    found = rates(config(Schedule.COSINE), 1000)
    assert found[-1] == pytest.approx(PEAK / 10)
    assert found[29:] == sorted(found[29:], reverse=True)


def test_the_ramp_is_a_cosine_and_the_other_a_line():
    ramp, line = rates(config(Schedule.COSINE_RAMP), 1000), rates(config(Schedule.CONSTANT), 1000)
    assert ramp[14] == pytest.approx(PEAK / 2)
    assert ramp[4] < line[4]
    assert line[14] == pytest.approx(PEAK / 2)
