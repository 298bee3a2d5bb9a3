"""Whether two answers are the same: equal, different or undecided, with the evidence.

Sources of the rules: 2,674 labelled pairs on which other graders were seen to err - units dropped, small numbers rounded to
nothing, words read as products of letters, percent taken as either of two values.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sandbox.answers.expression import MAX_LENGTH
from sandbox.answers.reading import Group, Number, Reading, Unread, Words, clean, read, squeeze


class Equality(enum.Enum):
    """What is known about two answers."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """What was found, and the reason for it in a few words."""

    equality: Equality
    evidence: str

    @property
    def is_equal(self) -> bool:
        """Whether the answers were shown to be equal; undecided is not."""
        return self.equality is Equality.EQUAL


def equivalent(gold: str, predicted: str, *, tolerance: float | Fraction | None = None) -> Verdict:
    r"""Compare two answers; `tolerance` is the absolute difference of numbers that still counts as equal.

    >>> equivalent("1/2", r"\frac{2}{4}").equality, equivalent("5 cm", "5 m").equality, equivalent("x+1", "1+x").equality
    (<Equality.EQUAL: 'equal'>, <Equality.DIFFERENT: 'different'>, <Equality.UNDECIDED: 'undecided'>)
    """
    if tolerance is not None and not 0 <= tolerance < float("inf"):
        raise ValueError(f"tolerance must be a finite number of at least 0, got {tolerance}")
    if max(len(gold), len(predicted)) > MAX_LENGTH:
        return Verdict(Equality.UNDECIDED, f"longer than {MAX_LENGTH} characters")
    left, right = clean(gold), clean(predicted)
    if not left or not right:
        return Verdict(Equality.UNDECIDED if not left else Equality.DIFFERENT, "empty")
    if squeeze(left) == squeeze(right):
        return Verdict(Equality.EQUAL, "same text")
    return _compare(read(left), read(right), Fraction(tolerance or 0))


def _compare(left: Reading, right: Reading, tolerance: Fraction) -> Verdict:
    if isinstance(left, Number) and isinstance(right, Number):
        return _numbers(left, right, tolerance)
    if isinstance(left, Group) and isinstance(right, Group):
        return _groups(left, right, tolerance)
    if isinstance(left, Words) and isinstance(right, Words):
        return _verdict("words", is_equal=left.text == right.text)
    if isinstance(left, Unread) and isinstance(right, Unread) and left.text == right.text:
        return Verdict(Equality.EQUAL, "same text")
    if {type(left), type(right)} == {Number, Group}:
        return Verdict(Equality.DIFFERENT, "one number against several")
    names = sorted(type(side).__name__.lower() for side in (left, right))
    return Verdict(Equality.UNDECIDED, f"no rule for {names[0]} against {names[1]}")


def _numbers(left: Number, right: Number, tolerance: Fraction) -> Verdict:
    is_close = abs(left.value - right.value) <= tolerance
    if left.unit and right.unit and left.unit != right.unit:
        both_known = left.is_known_unit and right.is_known_unit
        if is_close == both_known:  # 5 cm is not 5 m, 5 apples are not 6 pears; 100 cm may be 1 m, 5 apples 5 fruits
            return Verdict(Equality.DIFFERENT, "unit" if both_known else "rational and unit")
        return Verdict(Equality.UNDECIDED, "unit")
    if left.is_percent != right.is_percent and not is_close:
        percent, plain = (left, right) if left.is_percent else (right, left)
        if abs(percent.value * 100 - plain.value) <= tolerance:
            return Verdict(Equality.UNDECIDED, "percent sign on one side")
    return _verdict("rational" if tolerance == 0 else f"within {float(tolerance):g}", is_equal=is_close)


def _groups(left: Group, right: Group, tolerance: Fraction) -> Verdict:
    if left.is_ordered != right.is_ordered:
        return Verdict(Equality.UNDECIDED, "brackets on one side")
    if len(left.items) != len(right.items):
        return Verdict(Equality.DIFFERENT, "number of parts")
    if left.is_ordered and left.brackets != right.brackets:
        return Verdict(Equality.DIFFERENT, "brackets")
    if left.is_ordered:
        return _all([_compare(a, b, tolerance) for a, b in zip(left.items, right.items, strict=True)])
    return _unordered(left.items, right.items, tolerance)


def _all(verdicts: Sequence[Verdict]) -> Verdict:
    for equality in (Equality.DIFFERENT, Equality.UNDECIDED):
        for number, verdict in enumerate(verdicts, start=1):
            if verdict.equality is equality:
                return Verdict(equality, f"part {number}: {verdict.evidence}")
    return Verdict(Equality.EQUAL, "part by part")


def _unordered(left: Sequence[Reading], right: Sequence[Reading], tolerance: Fraction) -> Verdict:
    """Pair what is equal, each once; what is left decides."""
    rest = list(right)
    unpaired = []
    for item in left:
        pair = next((other for other in rest if _compare(item, other, tolerance).is_equal), None)
        if pair is None:
            unpaired.append(item)
        else:
            rest.remove(pair)
    if not unpaired:
        return Verdict(Equality.EQUAL, "in any order")
    outcomes = [_compare(unpaired[0], other, tolerance).equality for other in rest]
    decided = all(outcome is Equality.DIFFERENT for outcome in outcomes)
    return Verdict(Equality.DIFFERENT if decided else Equality.UNDECIDED, "in any order")


def _verdict(evidence: str, *, is_equal: bool) -> Verdict:
    return Verdict(Equality.EQUAL if is_equal else Equality.DIFFERENT, evidence)
