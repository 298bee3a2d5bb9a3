r"""Sets of real numbers: intervals, inequalities, unions, what is left out, read into pieces of the line.

A piece has two ends, each a tree or infinite, open or closed. Linear inequalities are solved exactly (`-2x < 6`); pieces that
touch are joined by the values of their ends. None: not a set of real numbers that is known here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from sandbox.answers.exact import exact
from sandbox.answers.numeric import number_of
from sandbox.answers.tree import Node, names, negative, number, replace

INFINITY = Node("constant", (), "infinity")
MINUS_INFINITY = Node("minus", (INFINITY,))
_FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤", "=": "=", "≠": "≠"}
_MAX_PIECES = 40
REGION_KINDS = frozenset({"union", "meet", "without", "such", "reals"})


class Piece(NamedTuple):
    """From `low` to `high`, an end being closed or not."""

    low: Node
    low_closed: bool
    high: Node
    high_closed: bool


LINE = Piece(MINUS_INFINITY, False, INFINITY, False)


def is_region(node: Node) -> bool:
    """Whether a form can only be a set of real numbers."""
    if node.kind in REGION_KINDS or (
        node.kind == "tuple" and node.value in ("[)", "(]", "[]") and len(node.parts) == 2
    ):
        return True
    if node.kind == "relation":
        return bool({"<", ">", "≤", "≥", "≠"} & set(node.value)) or (
            node.value == ("∈",) and is_region_or_pair(node.parts[1])
        )
    return node.kind == "list" and any(part.kind == "relation" and is_region(part) for part in node.parts)


def is_region_or_pair(node: Node) -> bool:
    """Whether a form is a set of real numbers where one is wanted: a pair in round brackets is an open interval then."""
    return is_region(node) or (node.kind == "tuple" and len(node.parts) == 2 and node.value == "()")


def variable(node: Node) -> str | None:
    """Give the variable that a set is written with, if it is written with one."""
    if node.kind in ("relation", "list", "such"):
        found = names(node)
        return next(iter(found)) if len(found) == 1 else None
    return None


def region(node: Node) -> list[Piece] | None:
    """Give the pieces of a set, from left to right and joined."""
    pieces = _pieces(node)
    return None if pieces is None or len(pieces) > _MAX_PIECES else _joined(pieces)


def _pieces(node: Node) -> list[Piece] | None:
    rule = {
        "tuple": _interval, "union": _union, "meet": _meet, "without": _without,
        "such": _such, "relation": _relation, "list": _several,
    }.get(node.kind)  # fmt: skip
    if rule:
        return rule(node)
    if node.kind == "reals":
        return [LINE]
    if node.kind == "set":
        return [Piece(part, True, part, True) for part in node.parts]
    return [] if node.kind == "empty" else None


def _interval(node: Node) -> list[Piece] | None:
    if len(node.parts) != 2:
        return None
    low, high = node.parts
    return [Piece(low, node.value[0] == "[", high, node.value[-1] == "]")]


def _union(node: Node) -> list[Piece] | None:
    parts = [_pieces(part) for part in node.parts]
    return None if any(part is None for part in parts) else [piece for part in parts for piece in part or []]


def _meet(node: Node) -> list[Piece] | None:
    one, other = (region(part) for part in node.parts)
    return None if one is None or other is None else _common(one, other)


def _common(one: list[Piece], other: list[Piece]) -> list[Piece] | None:
    found = []
    for a in one:
        for b in other:
            piece = _overlap(a, b)
            if piece is None:
                return None
            found += piece
    return found


def _overlap(a: Piece, b: Piece) -> list[Piece] | None:
    order = _order(a.low, b.low), _order(a.high, b.high)
    if order[0] is None or order[1] is None:
        return None
    low, low_closed = (a.low, a.low_closed) if order[0] > 0 else (b.low, b.low_closed)
    high, high_closed = (a.high, a.high_closed) if order[1] < 0 else (b.high, b.high_closed)
    low_closed = low_closed if order[0] else a.low_closed and b.low_closed
    high_closed = high_closed if order[1] else a.high_closed and b.high_closed
    span = _order(low, high)
    if span is None:
        return None
    return [Piece(low, low_closed, high, high_closed)] if span < 0 or (span == 0 and low_closed and high_closed) else []


def _without(node: Node) -> list[Piece] | None:
    whole, hole = region(node.parts[0]), region(node.parts[1])
    return None if whole is None or hole is None else _less(whole, hole)


def _less(whole: list[Piece], hole: list[Piece]) -> list[Piece] | None:
    rest: list[Piece] | None = whole
    for piece in hole:
        left = Piece(MINUS_INFINITY, False, piece.low, not piece.low_closed)
        right = Piece(piece.high, not piece.high_closed, INFINITY, False)
        rest = None if rest is None else _common(rest, [left, right])
    return rest


def _such(node: Node) -> list[Piece] | None:
    template, condition = node.parts
    if template.kind == "relation" and template.value == ("∈",):
        base, inner = region(template.parts[1]), region(condition)
        return None if base is None or inner is None else _common(base, inner)
    return region(condition) if template.kind == "name" else None


def _several(node: Node) -> list[Piece] | None:
    parts = [region(part) for part in node.parts]
    if any(part is None for part in parts):
        return None
    found = [part for part in parts if part is not None]
    if node.value == "or" or not any(part.kind == "relation" for part in node.parts):
        return [piece for part in found for piece in part]
    whole: list[Piece] | None = [LINE]
    for part in found:
        whole = None if whole is None else _common(whole, part)
    return whole


def _relation(node: Node) -> list[Piece] | None:
    """A chain of inequalities: what all of its links have in common."""
    if node.value == ("∈",):
        return _pieces(node.parts[1]) if node.parts[0].kind == "name" else None
    if len(names(node)) != 1:
        return None
    whole: list[Piece] | None = [LINE]
    for left, sign, right in zip(node.parts[:-1], node.value, node.parts[1:], strict=True):
        link = _link(left, sign, right)
        whole = None if whole is None or link is None else _common(whole, link)
    return whole


def _link(left: Node, sign: str, right: Node) -> list[Piece] | None:
    """Solve `ax + b < c`: a name alone on one side, or a line with rational numbers."""
    if sign not in _FLIPPED:
        return None
    if names(right) and not names(left):
        left, sign, right = right, _FLIPPED[sign], left
    if not names(right) and (left.kind, left.value) == ("call", "abs"):
        return _absolute(left.parts[0], sign, right)
    if not names(right) and left.kind == "power" and left.parts[1] == number(2):
        return _absolute(left.parts[0], sign, Node("root", (right, number(2))))
    if left.kind != "name" or names(right):
        solved = _solved(Node("sum", (left, negative(right))))
        if solved is None:
            return None
        sign, right = sign if solved[0] > 0 else _FLIPPED[sign], number(solved[1])
    if sign == "=":
        return [Piece(right, True, right, True)]
    if sign == "≠":
        return [Piece(MINUS_INFINITY, False, right, False), Piece(right, False, INFINITY, False)]
    closed = sign in "≤≥"
    return [Piece(MINUS_INFINITY, False, right, closed) if sign in "<≤" else Piece(right, closed, INFINITY, False)]


def _absolute(inner: Node, sign: str, bound: Node) -> list[Piece] | None:
    """Solve `|u| < c` and `|u| > c` for a positive bound."""
    place = position_of(bound)
    if place is None or place <= 0 or sign not in "<≤>≥":
        return None
    one, other = _link(inner, sign, bound), _link(inner, _FLIPPED[sign], negative(bound))
    if one is None or other is None:
        return None
    return _common(one, other) if sign in "<≤" else [*one, *other]


def _solved(node: Node) -> tuple[Fraction, Fraction] | None:
    """Give slope and root of a linear expression in one name."""
    letters = names(node)
    if len(letters) != 1:
        return None
    letter = next(iter(letters))
    at = [exact(replace(node, letter, number(point))) for point in (5, 6, 8, 13)]
    if any(value is None for value in at):
        return None
    one, two, three, four = (value for value in at if value is not None)
    slope = two - one
    if slope == 0 or three - two != 2 * slope or four - three != 5 * slope:
        return None
    return slope, 5 - one / slope


def _joined(pieces: list[Piece]) -> list[Piece] | None:
    """Sort pieces and join those that touch; pieces whose ends cannot be compared stay as they came."""
    if len(pieces) < 2:
        return pieces
    keys: list[tuple[Any, Any]] = [(position_of(piece.low), position_of(piece.high)) for piece in pieces]
    if any(end is None for key in keys for end in key):
        return pieces
    order = sorted(range(len(pieces)), key=lambda place: (keys[place][0], not pieces[place].low_closed))
    found, end = [pieces[order[0]]], keys[order[0]][1]
    for place in order[1:]:
        piece, last = pieces[place], found[-1]
        start, stop = keys[place]
        if start < end or (start == end and (piece.low_closed or last.high_closed)):
            if stop > end or (stop == end and piece.high_closed):
                found[-1] = last._replace(high=piece.high, high_closed=piece.high_closed)
                end = stop
        else:
            found.append(piece)
            end = stop
    return found


def _order(left: Node, right: Node) -> int | None:
    one, other = position_of(left), position_of(right)
    if one is None or other is None:
        return None
    if isinstance(one, float) or isinstance(other, float) or abs(one - other) > abs(one) * Fraction(1, 10**30):
        return int(one > other) - int(one < other)
    return 0


def position_of(node: Node) -> Any | None:
    """Give the place of an end on the line: a rational, a long decimal or infinity; None when it has names or no value."""
    if node == INFINITY:
        return float("inf")
    if node in (MINUS_INFINITY, Node("minus", (INFINITY,))):
        return float("-inf")
    value = exact(node)
    return value if value is not None else _decimal(node)


def _decimal(node: Node) -> Fraction | None:
    value = None if names(node) else number_of(node)
    if value is None or not abs(value) <= 10**300:
        return None
    return Fraction(int(value * 2**200), 2**200)
