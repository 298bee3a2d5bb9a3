"""The value of a rational function in a prime field: exact, and cheap whatever its degree.

Two different rational functions agree at a random point with a chance of their degree over 2^127 (Schwartz and Zippel).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.answers.exact import exact
from sandbox.answers.numeric import Unknown
from sandbox.answers.tree import Node

PRIME = 2**127 - 1


def residue(node: Node, point: Mapping[str, int]) -> int:
    """Give the value at a point; Unknown for what is no rational function."""
    rule = _RESIDUES.get(node.kind)
    if rule is None:
        raise Unknown(node.kind)
    return rule(node, point)


def _sum(node: Node, point: Mapping[str, int]) -> int:
    return sum(residue(part, point) for part in node.parts) % PRIME


def _product(node: Node, point: Mapping[str, int]) -> int:
    value = 1
    for part in node.parts:
        value = value * residue(part, point) % PRIME
    return value


def _power(node: Node, point: Mapping[str, int]) -> int:
    exponent = exact(node.parts[1])
    if exponent is None or exponent.denominator != 1 or abs(exponent) > 10**30:
        raise Unknown("a power that is not whole")
    return pow(residue(node.parts[0], point), exponent.numerator, PRIME)


_RESIDUES: dict[str, Callable[[Node, Mapping[str, int]], int]] = {
    "number": lambda node, _: node.value.numerator * pow(node.value.denominator, -1, PRIME) % PRIME,
    "name": lambda node, point: point[node.value],
    "sum": _sum,
    "product": _product,
    "power": _power,
    "minus": lambda node, point: -residue(node.parts[0], point) % PRIME,
    "percent": lambda node, point: residue(node.parts[0], point) * pow(100, -1, PRIME) % PRIME,
    "quotient": lambda node, point: (
        residue(node.parts[0], point) * pow(residue(node.parts[1], point), -1, PRIME) % PRIME
    ),
}
