r"""Equations and what stands on their sides: `x = 5` is 5, `3 + 4 = 7` is 7, `y = 2x` and `2x - y = 0` are one line.

A label (a name, `f(x)`, `(x, y)`) is taken off where the other side has none; labels that differ are never ignored.
Assignments of several names are compared name by name, values of one name in any order.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.answers import regions as line
from sandbox.answers import structures
from sandbox.answers.identity import proportional
from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.tree import Node, names, negative

_EQUAL_SIGNS = frozenset("=≈≡→⇒")


def relation(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare a relation with anything."""
    assigned = _assignments(left), _assignments(right)
    if assigned[0] is not None and (assigned[1] is not None or right.kind in ("list", "tuple")):
        return _assigned(left, right, settings)
    if line.is_region(left) or line.is_region(right):
        return _regions(left, right, settings)
    if left.value == ("∈",):
        inner = right.parts[1] if right.kind == "relation" and right.value == ("∈",) else right
        return settings.same(left.parts[1], inner)
    if right.kind == "list":
        return several(right, left, settings)
    if right.kind == "relation":
        return _equations(left, right, settings)
    if "≈" in left.value and right.kind in ("number", "root", "quotient", "product", "constant", "sum"):
        return _nearly(left, right, settings)
    value = stripped(left, settings)
    return settings.same(value, right) if value is not None else UNDECIDED("an equation against a value")


def _nearly(left: Node, right: Node, settings: Settings) -> Outcome:
    """`pi ≈ 3.14` gives both its exact and its rounded value."""
    outcomes = [settings.same(part, right) for part in left.parts]
    return next((outcome for outcome in outcomes if outcome.is_equal), outcomes[-1])


def is_label(node: Node) -> bool:
    """Whether a side only names the other: a name, `f(x)`, `f^{-1}(x)`, a tuple of names, `|AB|`."""
    if node.kind in ("name", "text"):
        return True
    if node.kind in ("tuple", "product", "point"):
        return (
            all(part.kind in ("name", "tuple", "point") and is_label(part) for part in node.parts)
            and node.kind != "product"
        ) or (node.kind == "product" and len(node.parts) == 2 and _is_applied(node))
    if node.kind == "call" and node.value == "abs":
        return node.parts[0].kind == "name" and len(node.parts[0].value) > 1
    return False


def _is_applied(node: Node) -> bool:
    function, inner = node.parts
    if function.kind == "power":
        function = function.parts[0]
    return (
        function.kind == "name"
        and function.value in tuple("fghFGHPpqTSVACuvyabr")
        and inner.kind in ("name", "number", "sum", "quotient", "product")
    )


def stripped(node: Node, settings: Settings) -> Node | None:
    """Give the value that an equation states: what its label stands for, or the end of a chain that holds."""
    if node.kind != "relation" or not set(node.value) <= _EQUAL_SIGNS:
        return None
    parts = list(node.parts)
    if is_label(parts[0]) and not (len(parts) == 2 and is_label(parts[1]) and parts[1].kind != "name"):
        parts = parts[1:]
    elif is_label(parts[-1]):
        parts = parts[:-1]
    elif names(node):
        return None
    if all(settings.same(part, parts[-1]).is_equal for part in parts[:-1]):
        return parts[-1]
    return None


def _regions(left: Node, right: Node, settings: Settings) -> Outcome:
    """Inequalities: as sets on the line, or both sides together where there are several names."""
    if left.kind == right.kind == "relation" and len(left.value) > 1 and len(names(left)) > 1:
        return _chains(left, right, settings)
    if line.region(left) is not None or right.kind != "relation" or left.kind != "relation":
        return structures.regions(left, right, settings)
    if len(left.value) != 1 or len(right.value) != 1:
        return UNDECIDED("inequalities")
    one, other = left.value[0], right.value[0]
    if one in "∈=≠" or other in "∈=≠":
        return _locus(left, right) if one == other == "≠" else UNDECIDED("relations")
    ratio = proportional(_difference(left), _difference(right))
    if ratio is None:
        return UNDECIDED("inequalities")
    flipped = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}[other] if ratio == -1 else other
    return EQUAL("inequality") if ratio is not False and one == flipped else DIFFERENT("inequality")


def _chains(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare orders of several things: the same from either end."""
    one, other = _ascending(left), _ascending(right)
    return (
        structures.in_order(one.parts, other.parts, settings, "order")
        if one.value == other.value
        else DIFFERENT("order")
    )


def _ascending(node: Node) -> Node:
    if not set(node.value) <= {">", "≥"}:
        return node
    return Node("relation", node.parts[::-1], tuple({">": "<", "≥": "≤"}[sign] for sign in node.value[::-1]))


def _difference(node: Node) -> Node:
    return Node("sum", (node.parts[0], negative(node.parts[1])))


def _locus(left: Node, right: Node) -> Outcome:
    if names(left) != names(right):
        return DIFFERENT("variables")
    ratio = proportional(_difference(left), _difference(right))
    return UNDECIDED("equations") if ratio is None else DIFFERENT("equation") if ratio is False else EQUAL("equation")


def _equations(left: Node, right: Node, settings: Settings) -> Outcome:
    if left.parts[0] == right.parts[0] and len(left.parts) == len(right.parts) == 2:
        same = settings.same(left.parts[1], right.parts[1])
        if same.is_equal or (is_label(left.parts[0]) and left.parts[0].value not in ("x", "y", "z")):
            return same._replace(rule=f"right side: {same.rule}")
    if len(left.parts) == len(right.parts) == 2 and names(left) and names(right):
        if _is_function_of(left.parts[0], right.parts[0]):
            return settings.same(left.parts[1], right.parts[1])
        return _locus(left, right)
    one, other = stripped(left, settings), stripped(right, settings)
    if one is not None and other is not None:
        labels = [side.parts[0].value for side in (left, right) if side.parts[0].kind == "name"]
        if len(set(labels)) > 1:
            return DIFFERENT("names")
        return settings.same(one, other)
    return UNDECIDED("equations")


def _is_function_of(left: Node, right: Node) -> bool:
    """`f(x) = ...` and `y = ...`."""
    if left.kind != "name" or right.kind != "name":
        return False
    return "y" in (left.value, right.value) and any("(" in side.value for side in (left, right))


def _assignments(node: Node) -> dict[str, Node] | None:
    """Give the values of several names: `x = 1, y = 2` or `(x, y) = (1, 2)`."""
    if node.kind == "relation" and node.value == ("=",):
        label, value = node.parts
        if (
            label.kind == value.kind == "tuple"
            and len(label.parts) == len(value.parts)
            and all(part.kind == "name" for part in label.parts)
        ):
            return {part.value: item for part, item in zip(label.parts, value.parts, strict=True)}
    if node.kind != "list" or not all(
        part.kind == "relation" and part.value == ("=",) and part.parts[0].kind == "name" for part in node.parts
    ):
        return None
    found = {part.parts[0].value: part.parts[1] for part in node.parts}
    if len(found) < len(node.parts) or len({name.partition("_")[0] for name in found}) < len(found):
        return None
    return found


def _assigned(left: Node, right: Node, settings: Settings) -> Outcome:
    one, other = _assignments(left), _assignments(right)
    if one is not None and other is not None:
        if set(one) != set(other):
            return DIFFERENT("names")
        return structures.in_order(list(one.values()), [other[name] for name in one], settings, "names")
    found, rest = (one, right) if one is not None else (other, left)
    if found is None or rest.kind not in ("tuple", "list") or len(found) != len(rest.parts):
        return DIFFERENT("names")
    same = structures.in_order(list(found.values()), rest.parts, settings, "names in order")
    return same if list(found) == sorted(found) else UNDECIDED("names in another order")


def several(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare a list, whose parts may be equations, with anything."""
    if _assignments(left) is not None or _assignments(right) is not None:
        return _assigned(left, right, settings)
    if line.is_region(left) or line.is_region(right):
        return structures.regions(left, right, settings)
    if right.kind == "quantity":
        return structures.alone(left, right, settings)
    one, other = _values(left, settings), _values(right, settings)
    if one is None or other is None:
        return UNDECIDED("equations")
    if one[1] and other[1] and one[1] != other[1]:
        return DIFFERENT("names")
    return structures.several(one[0], other[0], settings)


def _values(node: Node, settings: Settings) -> tuple[Node, str] | None:
    """Give a list without the labels of its parts, and their common name."""
    if node.kind == "relation" and node.value == ("∈",):
        return node.parts[1], ""
    parts: Sequence[Node] = node.parts if node.kind == "list" else (node,)
    bare, labels = [], set()
    for part in parts:
        if part.kind != "relation":
            bare.append(part)
            continue
        value = stripped(part, settings)
        if value is None:
            bare.append(part)
            continue
        label = part.parts[0] if is_label(part.parts[0]) else part.parts[-1]
        labels.add(str(label.value).partition("_")[0] if label.kind == "name" else "")
        bare.append(value)
    if len(labels) > 1:
        return None
    if node.kind != "list":
        return (bare[0], next(iter(labels), ""))
    return Node("list", tuple(bare), node.value), next(iter(labels), "")
