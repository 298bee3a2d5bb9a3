"""How much of each source a token budget takes: by weight, none repeated more often than a cap allows.

What a capped source cannot give goes to the others by their weights, until all is spent (water filling). Whole numbers that
add up to the budget; units are the caller's: samples, or tokens. A budget that the caps do not allow is refused.
"""

from __future__ import annotations

from collections.abc import Mapping


def blend(available: Mapping[str, int], weights: Mapping[str, float], budget: int, max_epochs: float) -> dict[str, int]:
    """Share `budget` among sources that hold `available` units each; a source without a weight gets nothing.

    >>> blend({"Python": 1000, "Rust": 50}, {"Python": 0.5, "Rust": 0.5}, 400, max_epochs=4)
    {'Python': 200, 'Rust': 200}
    >>> blend({"Python": 1000, "Rust": 50}, {"Python": 0.5, "Rust": 0.5}, 1000, max_epochs=4)
    {'Python': 800, 'Rust': 200}
    """
    wanted = {name: weight for name, weight in sorted(weights.items()) if weight > 0}
    caps = {name: int(available.get(name, 0) * max_epochs) for name in wanted}
    if budget > sum(caps.values()):
        raise ValueError(
            f"a budget of {budget:,} is above the {sum(caps.values()):,} that {max_epochs:g} epochs of "
            f"{', '.join(wanted) or 'no source'} give: collect more, train less, or raise max_epochs"
        )
    full: dict[str, int] = {}
    while over := _above_cap(wanted, caps, budget - sum(full.values()), full):
        full |= {name: caps[name] for name in over}
    open_ = {name: weight for name, weight in wanted.items() if name not in full}
    return {name: {**full, **_whole(open_, caps, budget - sum(full.values()))}[name] for name in wanted}


def _above_cap(
    weights: Mapping[str, float], caps: Mapping[str, int], budget: int, full: Mapping[str, int]
) -> list[str]:
    """List the open sources whose share of what is left is above their cap."""
    total = sum(weight for name, weight in weights.items() if name not in full)
    return [name for name, weight in weights.items() if name not in full and weight / total * budget > caps[name]]


def _whole(weights: Mapping[str, float], caps: Mapping[str, int], budget: int) -> dict[str, int]:
    """Round shares down, then give what is left by the largest remainders, where there is room."""
    total = sum(weights.values())
    exact = {name: weight / total * budget for name, weight in weights.items()}
    found = {name: min(int(share), caps[name]) for name, share in exact.items()}
    left = budget - sum(found.values())
    while left:
        for name in sorted(found, key=lambda name: (found[name] - exact[name], name)):
            step = min(1, left, caps[name] - found[name])
            found[name], left = found[name] + step, left - step
    return found
