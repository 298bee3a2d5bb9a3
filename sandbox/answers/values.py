"""Two expressions against each other: exact values, then identity at points, then the referee."""

from __future__ import annotations

from fractions import Fraction

from sandbox.answers.exact import Undefined, exact
from sandbox.answers.identity import identical
from sandbox.answers.numeric import number_of
from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.tree import Node, Unreadable, walk


def values(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare two expressions: exact values, then identity, then the referee."""
    try:
        one, other = exact(left), exact(right)
        if one is not None and other is not None:
            return _exact(one, other, settings)
        infinite = _infinity(left), _infinity(right)
        if any(infinite):
            return known("infinity", is_equal=infinite[0] == infinite[1])
        if settings.tolerance and _within(left, right, settings.tolerance):
            return EQUAL("within tolerance")
        same = identical(left, right)
    except (Undefined, Unreadable) as problem:
        return UNDECIDED(str(problem))
    if same is None:
        return settings.referee(left, right) if settings.referee else UNDECIDED("open")
    if same or not _any_base(left, right):
        return known("identity", is_equal=same)
    return UNDECIDED("log without a base")


def _exact(one: Fraction, other: Fraction, settings: Settings) -> Outcome:
    if one == other:
        return EQUAL("rational")
    if settings.tolerance and abs(one - other) <= settings.tolerance:
        return EQUAL("within tolerance")
    return DIFFERENT("rational")


def _within(left: Node, right: Node, tolerance: Fraction) -> bool:
    one, other = number_of(left), number_of(right)
    return one is not None and other is not None and bool(abs(one - other) <= float(tolerance))


def _infinity(node: Node) -> int:
    if node.kind == "constant" and node.value == "infinity":
        return 1
    return -_infinity(node.parts[0]) if node.kind == "minus" else 0


def _any_base(left: Node, right: Node) -> bool:
    """Whether a log without a base is in only one of two forms: it may be the natural one or that of ten."""
    found = [
        any(part.kind == "call" and part.value == "log" and len(part.parts) == 1 for part in walk(side))
        for side in (left, right)
    ]
    return any(found)


def known(rule: str, *, is_equal: bool) -> Outcome:
    """Say equal or different."""
    return EQUAL(rule) if is_equal else DIFFERENT(rule)


def exact_or_none(node: Node) -> Fraction | None:
    """The exact value, or None where there is none for any reason."""
    try:
        return exact(node)
    except (Undefined, Unreadable):
        return None
