r"""The form of an answer: a small tree of named nodes, for expressions and for what is built of them.

Expressions are `number` (value: Fraction), `name`, `constant` (pi, e, i, infinity), `sum`, `product`, `quotient`, `power`,
`minus`, `root`, `factorial`, `call` (value: the function), `degrees`, `percent`, `determinant`, `series`, `limit`, `integral`.
Structures are `list`, `tuple` (value: its brackets), `set`, `relation` (value: its signs), `union`, `meet`, `without`, `such`,
`either` (a plus-minus), `quantity` (value: Unit), `matrix` of `row`s, `cases`, `modulo`, `based`, `ratio`, `time`, `point`,
`text`, `choice`, `empty`, `reals`, `more` (an ellipsis). Nothing here computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

MAX_LENGTH = 2_000  # characters of one answer
MAX_DEPTH = 60  # of nesting
MAX_TOKENS = 1_200


class Unreadable(ValueError):
    """The text has no form that the grammar knows, or is too large to be read."""


class Node(NamedTuple):
    """A node: what it is, its parts, and what it holds beside them."""

    kind: str
    parts: tuple[Node, ...] = ()
    value: Any = None


class Unit(NamedTuple):
    """A unit: powers of what it is made of, its size in these, and whether all of them are in the table."""

    dimension: tuple[tuple[str, int], ...]
    size: Fraction
    is_known: bool


def word_set(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Find the last place where a pattern matches."""
    match = None
    for match in pattern.finditer(text):  # noqa: B007  # the last one is what is wanted
        pass
    return match


def number(value: int | Fraction) -> Node:
    """Make the node of a rational number."""
    return Node("number", (), Fraction(value))


def negative(node: Node) -> Node:
    """Make the node of the opposite."""
    if node.kind == "number":
        return number(-node.value)
    if node.kind in ("degrees", "percent", "quantity"):
        return node._replace(parts=(negative(node.parts[0]),))
    return Node("minus", (node,))


def walk(node: Node) -> Iterator[Node]:
    """Give a node and all nodes below it; trees are shallow by construction."""
    yield node
    for part in node.parts:
        yield from walk(part)


def names(node: Node) -> frozenset[str]:
    """Give the names that occur in a tree."""
    return frozenset(part.value for part in walk(node) if part.kind == "name")


def kinds(node: Node) -> frozenset[str]:
    """Give the kinds that occur in a tree."""
    return frozenset(part.kind for part in walk(node))


def size(node: Node) -> int:
    """Count the nodes of a tree."""
    return 1 + sum(size(part) for part in node.parts)


def replace(node: Node, old: str, new: Node) -> Node:
    """Put a node in the place of a name."""
    if node.kind == "name" and node.value == old:
        return new
    return node._replace(parts=tuple(replace(part, old, new) for part in node.parts)) if node.parts else node


def show(node: Node, limit: int = 200) -> str:
    """Write a tree on one line, cut at a number of characters.

    >>> show(Node("sum", (number(1), Node("quotient", (Node("name", (), "x"), number(2))))))
    'sum(1, quotient(x, 2))'
    """
    text = _show(node)
    return text if len(text) <= limit else text[:limit] + "..."


def _show(node: Node) -> str:
    if node.kind == "number" and node.value.numerator.bit_length() + node.value.denominator.bit_length() > 2_000:
        return "a large number"
    value = "" if node.value is None else _value(node.value)
    if not node.parts:
        return value if node.kind in ("number", "name", "constant") else f"{node.kind}[{value}]" if value else node.kind
    inner = ", ".join(_show(part) for part in node.parts)
    return f"{node.kind}[{value}]({inner})" if value else f"{node.kind}({inner})"


def _value(value: Any) -> str:
    if isinstance(value, Unit):
        scale = "" if value.size == 1 else f"{value.size} "
        return scale + " ".join(name if power == 1 else f"{name}^{power}" for name, power in value.dimension)
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
