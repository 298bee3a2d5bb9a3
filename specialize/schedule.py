"""The learning rate of a step: four shapes, as pure functions of the step.

Guarantees: above zero on every step (but the last of a decay to 0), never above the peak, the peak exactly on the last step of
the warm-up. Nothing is kept between steps, so a resumed run needs no state. The warm-up begins at 0, or, to warm up again where
another run stopped, at `initial_fraction` of the peak. Sources: QWEN report 2.4 (cosine), 4.1 (constant), 4.2 (cosine ramp);
2405.18392 (warm-up, stable, decay by 1 - sqrt); 2403.08763 (warming up again).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from specialize.config import Schedule, TrainConfig


def learning_rate(config: TrainConfig, *, step: int, train_steps: int) -> float:
    """Return the rate of optimizer step `step`, counted from 1, of `train_steps`."""
    peak, warmup = config.optimizer.learning_rate, warmup_steps(config, train_steps)
    if step < warmup:
        share = step / warmup
        risen = (1 - math.cos(math.pi * share)) / 2 if config.schedule is Schedule.COSINE_RAMP else share
        return peak * (config.initial_fraction + (1 - config.initial_fraction) * risen)
    if config.schedule not in _DECAYS or step == warmup:
        return peak
    begins = (
        warmup if config.schedule is Schedule.COSINE else max(warmup, train_steps - decay_steps(config, train_steps))
    )
    share = min(1.0, max(0, step - begins) / max(1, train_steps - begins))
    return peak * (1 - (1 - config.minimum_fraction) * _DECAYS[config.schedule](share))


_DECAYS: dict[Schedule, Callable[[float], float]] = {
    Schedule.COSINE: lambda share: (1 - math.cos(math.pi * share)) / 2,
    Schedule.WSD: math.sqrt,
}
"""How much of the way down is done at a share of the decay."""


def warmup_steps(config: TrainConfig, train_steps: int) -> int:
    """Count the steps of the warm-up; the last of them has the peak rate."""
    return math.ceil(config.warmup_fraction * train_steps)


def decay_steps(config: TrainConfig, train_steps: int) -> int:
    """Count the steps of the decay of Schedule.WSD; the first of them is already below the peak."""
    return math.ceil(config.decay_fraction * train_steps)
