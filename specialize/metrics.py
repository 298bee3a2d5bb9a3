"""Scores as numbers with their uncertainty."""

import math
from typing import Any

_Z = 1.959963984540054
"""Two-sided 95% quantile of the normal distribution."""


def wilson(passed: int, n: int) -> tuple[float, float]:
    """Compute the 95% Wilson score interval of a proportion (Wilson 1927); without trials it is everything.

    >>> low, high = wilson(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    if n == 0:
        return 0.0, 1.0
    p, z2 = passed / n, _Z * _Z
    centre, spread = p + z2 / (2 * n), _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (centre - spread) / (1 + z2 / n), (centre + spread) / (1 + z2 / n)
    return max(0.0, min(p, low)), min(1.0, max(p, high))  # rounding alone could leave the bounds


def proportion(passed: int, n: int, name: str, count: str) -> dict[str, Any]:
    """Make the record of a proportion: value, count, n and interval."""
    low, high = wilson(passed, n)
    value = passed / n if n else 0.0
    return {name: round(value, 6), count: passed, "n": n, "low": round(low, 6), "high": round(high, 6)}


def bits_per_byte(nats: float, num_bytes: int) -> float:
    """Convert a sum of token losses to bits a UTF-8 byte: comparable across tokenizers."""
    return nats / math.log(2) / num_bytes
