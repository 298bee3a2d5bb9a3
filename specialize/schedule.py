"""The learning rate of a step: three shapes, as pure functions of the step.

Guarantees: above zero on every step, never above the peak, the peak exactly on the last step of the warm-up.
Nothing is kept between steps, so a resumed run needs no state. Source: QWEN report 2.4 (cosine), 4.1 (constant),
4.2 (cosine ramp).
"""

from __future__ import annotations

import math

from specialize.config import Schedule, TrainConfig


def learning_rate(config: TrainConfig, *, step: int, train_steps: int) -> float:
    """Return the rate of optimizer step `step`, counted from 1, of `train_steps`."""
    peak, warmup = config.optimizer.learning_rate, warmup_steps(config, train_steps)
    if step < warmup:
        share = step / warmup
        return peak * ((1 - math.cos(math.pi * share)) / 2 if config.schedule is Schedule.COSINE_RAMP else share)
    if config.schedule is not Schedule.COSINE or train_steps == warmup:
        return peak
    share = min(1.0, (step - warmup) / (train_steps - warmup))
    return peak * (1 - (1 - config.minimum_fraction) * (1 - math.cos(math.pi * share)) / 2)


def warmup_steps(config: TrainConfig, train_steps: int) -> int:
    """Count the steps of the warm-up; the last of them has the peak rate."""
    return math.ceil(config.warmup_fraction * train_steps)
