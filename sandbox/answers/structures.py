r"""Structures part by part: tuples in order, lists and sets in any order with every part once, matrices, cases, regions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sandbox.answers import regions as line
from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.tree import Node
from sandbox.answers.verdict import Equality

_MAX_PARTS = 60
_MAX_UNORDERED = 30


def all_of(outcomes: Sequence[Outcome], rule: str) -> Outcome:
    """Join outcomes of parts: the first that is different, else undecided, speaks for all."""
    for equality in (Equality.DIFFERENT, Equality.UNDECIDED):
        for place, outcome in enumerate(outcomes, start=1):
            if outcome.equality is equality:
                return Outcome(equality, f"{rule}, part {place}: {outcome.rule}")
    return EQUAL(rule)


def in_order(left: Sequence[Node], right: Sequence[Node], settings: Settings, rule: str) -> Outcome:
    """Compare parts one by one."""
    if len(left) != len(right):
        return DIFFERENT(f"{rule}, number of parts")
    if len(left) > _MAX_PARTS and left != right:
        return UNDECIDED(f"more than {_MAX_PARTS} parts")
    return all_of([settings.same(a, b) for a, b in zip(left, right, strict=True)], rule)


def in_any_order(left: Sequence[Node], right: Sequence[Node], settings: Settings, rule: str) -> Outcome:
    """Pair what is equal, each once; what is left decides."""
    if len(left) != len(right):
        return DIFFERENT(f"{rule}, number of parts")
    if len(left) > _MAX_UNORDERED:
        return (
            in_order(left, right, settings, rule) if left == right else UNDECIDED(f"more than {_MAX_UNORDERED} parts")
        )
    rest, unpaired = list(right), []
    for item in left:
        pair = next((place for place, other in enumerate(rest) if settings.same(item, other).is_equal), None)
        if pair is None:
            unpaired.append(item)
        else:
            del rest[pair]
    if not unpaired:
        return EQUAL(rule)
    outcomes = [settings.same(unpaired[0], other).equality for other in rest]
    return DIFFERENT(rule) if all(outcome is Equality.DIFFERENT for outcome in outcomes) else UNDECIDED(rule)


def members(node: Node) -> tuple[Node, ...]:
    """Give the parts of a list or set, both signs of a plus-minus, or a form alone."""
    if node.kind in ("list", "set"):
        return (
            tuple(member for part in node.parts for member in members(part))
            if node.kind == "list"
            else _signs(node.parts)
        )
    return _signs((node,))


def _signs(parts: Sequence[Node]) -> tuple[Node, ...]:
    return tuple(sign for part in parts for sign in (part.parts if part.kind == "either" else (part,)))


def several(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare a list or set with anything: another, or a single form."""
    if right.kind == "tuple":
        if len(right.parts) > 2 and right.value == "[]":
            return in_any_order(members(left), right.parts, settings, "list in brackets")
        same = in_any_order(members(left), right.parts, settings, "list")
        return UNDECIDED("brackets on one side") if same.is_equal else DIFFERENT("list against a tuple")
    if line.is_region(right):
        return regions(left, right, settings)
    if right.kind == "empty":
        return DIFFERENT("nothing against something")
    one, other = members(left), members(right)
    is_choice = len(other) == 1 and left.kind == "list" and left.value == "or"
    if is_choice and all(settings.same(one[0], part).is_equal for part in one[1:]):
        return settings.same(one[0], right)  # 3/4 or 0.75
    if left.kind == right.kind == "set" and len(one) != len(other):
        shorter, longer = sorted((one, other), key=len)
        if set(shorter) >= set(longer):
            return UNDECIDED("parts that occur twice")
    return in_any_order(one, other, settings, "in any order")


def alone(several_: Node, single: Node, settings: Settings) -> Outcome:
    """Compare a structure with a single value: equal only where it holds nothing else."""
    if len(several_.parts) == 1 and several_.kind in ("set", "list"):
        return settings.same(several_.parts[0], single)
    shared = _shared_unit(several_, single)
    return settings.same(several_, shared) if shared else DIFFERENT("several against one")


def _shared_unit(several_: Node, single: Node) -> Node | None:
    """`(2, 3) cm` or `2, 3 cm`: not read, so as not to lose the unit."""
    return single.parts[0] if single.kind == "quantity" and single.parts[0].kind == several_.kind else None


def tuples(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare a tuple with anything."""
    if right.kind == "tuple":
        if left.value == right.value:
            return in_order(left.parts, right.parts, settings, "tuple")
        if len(left.parts) == len(right.parts) == 2 or len(left.parts) != len(right.parts):
            return DIFFERENT("brackets")
        same = in_order(left.parts, right.parts, settings, "tuple")
        return UNDECIDED("brackets") if same.is_equal else same
    if line.is_region(left) or line.is_region(right):
        return regions(left, right, settings)
    return DIFFERENT("tuple against a value") if right.kind != "more" else UNDECIDED("an ellipsis")


def regions(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare two sets of real numbers, piece by piece."""
    names = line.variable(left), line.variable(right)
    if names[0] and names[1] and names[0] != names[1]:
        return DIFFERENT("variables")
    one, other = line.region(left), line.region(right)
    if one is None or other is None:
        return (
            UNDECIDED("not a set of real numbers")
            if one is other is None
            else DIFFERENT("a set of real numbers against another form")
        )
    if len(one) != len(other):
        return DIFFERENT("region")
    return all_of([_piece(a, b, settings) for a, b in zip(one, other, strict=True)], "region")


def _piece(left: line.Piece, right: line.Piece, settings: Settings) -> Outcome:
    if (left.low_closed, left.high_closed) != (right.low_closed, right.high_closed):
        return DIFFERENT("closed or open")
    return in_order((left.low, left.high), (right.low, right.high), settings, "ends")


def matrix(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare a matrix with a matrix, nested brackets, or a tuple that is its only row or column."""
    rows = [row.parts for row in left.parts]
    if right.kind == "product" and any(part.kind == "matrix" for part in right.parts):
        return _scaled(left, right, settings)
    if right.kind == "tuple" and all(part.kind == "tuple" for part in right.parts):
        right = Node("matrix", tuple(Node("row", part.parts) for part in right.parts))
    if right.kind == "matrix":
        return in_order(
            [Node("tuple", row, "row") for row in rows],
            [Node("tuple", row.parts, "row") for row in right.parts],
            settings,
            "matrix",
        )
    if right.kind == "tuple" and (len(rows) == 1 or len(rows[0]) == 1):
        same = in_order([cell for row in rows for cell in row], right.parts, settings, "vector")
        return UNDECIDED("row or column") if same.is_equal else same
    return UNDECIDED("a matrix against a form")


def _scaled(left: Node, right: Node, settings: Settings) -> Outcome:
    """A number times a matrix."""
    factors = [part for part in right.parts if part.kind != "matrix"]
    inner = [part for part in right.parts if part.kind == "matrix"]
    if len(inner) != 1:
        return UNDECIDED("a product of matrices")
    rows = tuple(Node("row", tuple(Node("product", (*factors, cell)) for cell in row.parts)) for row in inner[0].parts)
    return matrix(left, Node("matrix", rows), settings)


def empty(left: Node, right: Node, _: Settings) -> Outcome:
    """The empty set is equal to itself only."""
    return EQUAL("empty") if right.kind == left.kind else DIFFERENT("nothing against something")


def cases(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare definitions by cases: the same branches in any order."""
    if right.kind != "cases":
        return UNDECIDED("cases against a form")
    if any(len(row.parts) > 1 and row.parts[1].kind == "text" for row in (*left.parts, *right.parts)) and len(
        left.parts
    ) != len(right.parts):
        return UNDECIDED("otherwise")
    branches = [[_branch(row) for row in side.parts] for side in (left, right)]
    outcome = in_any_order(branches[0], branches[1], settings, "cases")
    if outcome.equality is Equality.DIFFERENT:
        values = [[branch.parts[0] for branch in side] for side in branches]
        if in_any_order(values[0], values[1], settings, "values").is_equal:
            return UNDECIDED("cases that part elsewhere, or at one point only")
    return outcome


def _branch(row: Node) -> Node:
    parts = row.parts[0].parts if len(row.parts) == 1 and row.parts[0].kind == "list" else row.parts
    return Node("tuple", parts, "case")


def value_in_base(digits: str, base: int) -> Fraction | None:
    """Give the value of digits in a base; None where they do not fit."""
    whole, _, decimals = digits.partition(".")
    try:
        return Fraction(int(whole + decimals, base), base ** len(decimals))
    except ValueError:
        return None
