"""The learning rate over the steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.config import OptimizerConfig, PretrainConfig, Schedule
from specialize.schedule import learning_rate, warmup_steps

PEAK = 3e-5
DECAYING = (Schedule.COSINE, Schedule.WSD)


def config(schedule, warmup=0.03, **changes):
    """A config with the schedule; the rest does not matter here."""
    optimizer = OptimizerConfig(learning_rate=PEAK)
    return PretrainConfig(
        seq_length=8,
        global_batch_size=1,
        train_steps=1,
        optimizer=optimizer,
        schedule=schedule,
        warmup_fraction=warmup,
        **changes,
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
    values = config(schedule, min(warmup, 0.8) if schedule is Schedule.WSD else warmup)
    found = rates(values, train_steps)
    assert all(0 < rate <= PEAK * (1 + 1e-12) for rate in found)
    last = max(warmup_steps(values, train_steps), 1)
    if schedule not in DECAYING or warmup_steps(values, train_steps):
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


def test_wsd_stays_at_the_peak_and_falls_by_the_square_root():
    found = rates(config(Schedule.WSD), 1000)
    assert set(found[29:800]) == {PEAK}
    assert found[849] == pytest.approx(PEAK * (1 - 0.9 * math.sqrt(50 / 200)))
    assert found[-1] == pytest.approx(PEAK / 10)
    assert found[800:] == sorted(found[800:], reverse=True)


def test_wsd_leaves_room_for_its_warm_up():
    with pytest.raises(ValueError, match="decay_fraction and warmup_fraction must be at most 1 together"):
        config(Schedule.WSD, warmup=0.9)


@pytest.mark.parametrize("schedule", Schedule)
def test_a_second_run_warms_up_from_the_last_rate_of_the_first(schedule):
    """From a tenth of the peak, where a cosine ended, and never below it before the decay."""
    first = rates(config(Schedule.COSINE), 500)
    again = rates(config(schedule, initial_fraction=0.1), 500)
    assert first[-1] < again[0] < first[-1] * 2
    assert again[14] == PEAK
    assert again[:15] == sorted(again[:15])


class _Groups:
    param_groups = ({"lr": 0.0, "weight_decay": 0.0},)


@pytest.mark.parametrize("initial", [0.0, 0.1])
@pytest.mark.parametrize(
    ("schedule", "style"),
    [(Schedule.CONSTANT, "constant"), (Schedule.COSINE, "cosine"), (Schedule.WSD, "WSD")],
)
def test_every_rate_is_that_of_megatrons_scheduler(schedule, style, initial):
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    values, train_steps = config(schedule, initial_fraction=initial), 300
    scheduler = OptimizerParamScheduler(
        _Groups(),
        init_lr=initial * PEAK,
        max_lr=PEAK,
        min_lr=PEAK / 10,
        lr_warmup_steps=9,
        lr_decay_steps=train_steps,
        lr_decay_style=style,
        start_wd=0.1,
        end_wd=0.1,
        wd_incr_steps=0,
        wd_incr_style="constant",
        wsd_decay_steps=60,
        lr_wsd_decay_style="minus_sqrt",
    )
    expected = []
    for _ in range(train_steps):
        scheduler.step(1)
        expected.append(_Groups.param_groups[0]["lr"])
    assert rates(values, train_steps) == pytest.approx(expected, rel=1e-14)
