"""Fit a logistic regression with an L2 penalty by L-BFGS, the same bits at every run.

A target lies in [0, 1]: a label over the highest one, so a class is the special case of 0 and 1. The loss is convex, and
the line search asks for its slope alone. All sums are those of `kernels`, in the order of the rows.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from corpora.quality import kernels
from corpora.quality.features import Features, Floats, Integers

_MEMORY = 5
_TRIALS = 12
_CURVATURE = 0.9
"""A step is taken when it leaves at most this share of the slope."""
_ENOUGH = 1e-2
"""Of the first gradient's length; below, another step changes no decision."""


class Loss:
    """The loss of some texts against their targets, by its gradient."""

    def __init__(
        self, features: Features, dense: Floats, rows: Integers, targets: Floats, offsets: Floats, penalty: float
    ) -> None:
        self._features, self._dense, self._rows = features, dense, rows
        self._targets, self._offsets, self._penalty = targets, offsets, penalty
        self._which = np.zeros(len(features), np.int64)
        self._scores = np.zeros(len(features))

    def margins(self, weights: Floats) -> Floats:
        """Score all texts."""
        features, out = self._features, np.zeros(len(self._features))
        num_buckets = len(weights) - self._dense.shape[1] - 1
        kernels.margins(
            features.firsts, features.found, self._dense, weights[None], self._which, num_buckets, self._offsets, out
        )
        return out

    def gradient(self, weights: Floats) -> Floats:
        """Give the direction in which the loss grows."""
        features, out = self._features, np.empty_like(weights)
        num_buckets = len(weights) - self._dense.shape[1] - 1
        kernels.gradient(
            features.firsts,
            features.found,
            self._dense,
            self._rows,
            self._targets,
            self.margins(weights),
            weights,
            num_buckets,
            self._penalty,
            out,
        )
        return out


def minimize(loss: Loss, num_weights: int, iterations: int) -> Floats:
    """Find the weights of least loss."""
    weights = np.zeros(num_weights)
    gradient = loss.gradient(weights)
    start = kernels.dot(gradient, gradient) ** 0.5
    steps: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(iterations):
        if kernels.dot(gradient, gradient) ** 0.5 <= _ENOUGH * start:
            break
        direction = _direction(gradient, steps)
        moved, new = _step(loss, weights, gradient, direction)
        step, change = moved - weights, new - gradient
        if kernels.dot(step, change) > 1e-16:
            steps.append((step, change))
        weights, gradient = moved, new
    return weights


def _direction(gradient: Floats, steps: deque[tuple[Floats, Floats]]) -> Floats:
    """Turn the gradient by what the last steps say of the curvature (Nocedal 1980, two loops)."""
    direction, shares = -gradient, []
    for step, change in reversed(steps):
        share = kernels.dot(step, direction) / kernels.dot(step, change)
        kernels.add(direction, -share, change)
        shares.append(share)
    if steps:
        step, change = steps[-1]
        direction *= kernels.dot(step, change) / kernels.dot(change, change)
    for (step, change), share in zip(steps, reversed(shares), strict=True):
        kernels.add(direction, share - kernels.dot(change, direction) / kernels.dot(step, change), step)
    return direction


def _step(loss: Loss, weights: Floats, gradient: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Go along a direction until the slope is small: doubled while it still falls, by the secant where it rises."""
    slope = kernels.dot(gradient, direction)
    low, length = 0.0, 1.0
    for _ in range(_TRIALS):
        moved = weights.copy()
        kernels.add(moved, length, direction)
        new = loss.gradient(moved)
        found = kernels.dot(new, direction)
        if abs(found) <= _CURVATURE * abs(slope):
            break
        if found < 0:
            low, length = length, 2.0 * length
        else:
            length = low + (length - low) * min(0.9, max(0.1, slope / (slope - found)))
    return moved, new
