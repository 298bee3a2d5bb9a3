r"""Two forms against each other: the rule of the kind that decides, in a table ordered by which kind asks first.

A rule gets the pair with its own kind first and says equal, different or undecided. What one side leaves open (a unit, a base,
a modulus, brackets) is undecided or filled from the other side, never dropped. Sources of the rules: labelled pairs on which
other graders were seen to err.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sandbox.answers import measured, relations, structures
from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.regions import REGION_KINDS
from sandbox.answers.tree import Node
from sandbox.answers.values import exact_or_none, known, values

_VALUES = frozenset({"number", "quantity", "tuple", "set", "matrix", "percent", "time"})


class Rule(NamedTuple):
    """A kind that decides, and how."""

    kind: str
    compare: Callable[[Node, Node, Settings], Outcome]


def compare(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare two forms."""
    if left.kind == right.kind == "number":
        return values(left, right, settings)
    if left == right:
        return EQUAL("same form")
    for kind, rule in _RULES:
        if left.kind == kind:
            return rule(left, right, settings)
        if right.kind == kind:
            return rule(right, left, settings)
    return values(left, right, settings)


def _text(text: Node, other: Node, _: Settings) -> Outcome:
    if other.kind == "text":
        if text.value == other.value:
            return EQUAL("words")
        is_turned = sorted(text.value.split()) == sorted(other.value.split())
        return UNDECIDED("words in another order") if is_turned else DIFFERENT("words")
    if other.kind == "name" and other.value.lower() == text.value:
        return EQUAL("words")
    if other.kind in _VALUES or exact_or_none(other) is not None:
        return DIFFERENT("words against a value")
    return UNDECIDED("words against a form")


def _choice(choice: Node, other: Node, settings: Settings) -> Outcome:
    if other.kind == "choice":
        return known("choice", is_equal=choice.value == other.value)
    if other.kind in ("name", "text") and str(other.value).upper() == choice.value:
        return EQUAL("choice")
    if other.kind == "name" and other.value.rpartition(" ")[2] == choice.value:
        return EQUAL("a segment's name")
    if choice.parts and settings.same(choice.parts[0], other).is_equal:
        return UNDECIDED("a choice against what stands there")
    if other.kind in ("list", "set") and all(part.kind in ("name", "choice") for part in other.parts):
        letters = "".join(sorted(str(part.value).upper() for part in other.parts))
        return known("choice", is_equal=letters == choice.value)
    return UNDECIDED("a choice against a value")


def _point(point: Node, other: Node, settings: Settings) -> Outcome:
    r"""`P(2,3)` is a point with a name, `C(5,2)` and `P(5,2)` may be numbers."""
    if other.kind == "point":
        if point.value != other.value:
            return UNDECIDED("names of points")
        return settings.same(point.parts[0], other.parts[0])
    if other.kind == "tuple":
        return settings.same(point.parts[0], other)
    if point.value in ("C", "P") and len(point.parts[0].parts) == 2:
        above, below = point.parts[0].parts
        chosen = Node("call", (above, below), "binom")
        ordered = Node("product", (chosen, Node("factorial", (below,))))
        return values(chosen if point.value == "C" else ordered, other, settings)
    return UNDECIDED("a point against a form")


def _open(left: Node, right: Node, _: Settings) -> Outcome:
    return UNDECIDED(f"no rule for {left.kind} against {right.kind}")


_RULES: tuple[Rule, ...] = (
    Rule("choice", _choice),
    Rule("text", _text),
    Rule("relation", relations.relation),
    Rule("list", relations.several),
    Rule("time", measured.time),
    Rule("ratio", measured.ratio),
    Rule("based", measured.based),
    Rule("modulo", measured.modulo),
    Rule("quantity", measured.quantity),
    Rule("percent", measured.percent),
    Rule("set", structures.several),
    Rule("either", structures.several),
    *(Rule(kind, structures.regions) for kind in sorted(REGION_KINDS)),
    Rule("point", _point),
    Rule("matrix", structures.matrix),
    Rule("tuple", structures.tuples),
    Rule("empty", structures.empty),
    Rule("cases", structures.cases),
    Rule("degrees", measured.degrees),
    Rule("more", _open),
)
