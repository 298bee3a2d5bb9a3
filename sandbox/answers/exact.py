r"""The rational value of a tree, when it has one: whole arithmetic, roots that come out, factorials, finite sums.

None says that the value is irrational, complex or unknown, or that it would be too large to hold; nothing is ever rounded. The
cost is bounded before each step by the bits of its operands, and over a whole tree by a budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from sandbox.answers.tree import Node, Unreadable, number, replace

MAX_BITS = 40_000  # of numerator and denominator together
_BUDGET = 1_500_000  # bits read in all
_MAX_FACTORIAL = 3_000
_MAX_TERMS = 1_000  # of a sum
_ZERO = Fraction(0)


class Undefined(ValueError):
    """The expression has no value: a division by zero, 0^0, a determinant of what is not square."""


def exact(node: Node) -> Fraction | None:
    r"""Give the value of a tree as a rational, or None.

    >>> from sandbox.answers.reading import read
    >>> exact(read(r"2^{-1}+\sqrt{\frac{9}{4}}")), exact(read("5!/3!")), exact(read("x"))
    (Fraction(2, 1), Fraction(20, 1), None)
    """
    return _Evaluator().value(node)


class _Evaluator:
    """One evaluation, with what it may still spend."""

    def __init__(self) -> None:
        self.budget = _BUDGET

    def value(self, node: Node) -> Fraction | None:
        if node.kind == "number":
            return node.value  # type: ignore[no-any-return]  # numbers hold fractions
        rule = _RULES.get(node.kind)
        return rule(self, node) if rule else None

    def values(self, node: Node) -> list[Fraction] | None:
        found = []
        for part in node.parts:
            value = self.value(part)
            if value is None:
                return None
            self.spend(_bits(value))
            found.append(value)
        return found

    def spend(self, bits: int) -> None:
        self.budget -= bits
        if self.budget < 0:
            raise Unreadable("too large to compute")


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _held(value: Fraction) -> Fraction | None:
    return value if _bits(value) <= MAX_BITS else None


def _sum(run: _Evaluator, node: Node) -> Fraction | None:
    values = run.values(node)
    if values is None:
        return None
    total: Fraction | None = _ZERO
    for value in values:
        if total is None:
            return None
        run.spend(_bits(total))
        total = _held(total + value)
    return total


def _product(run: _Evaluator, node: Node) -> Fraction | None:
    values = run.values(node)
    if values is None:
        return None
    total: Fraction | None = Fraction(1)
    for value in values:
        if total is None:
            return None
        run.spend(_bits(total))
        total = _held(total * value)
    return total


def _quotient(run: _Evaluator, node: Node) -> Fraction | None:
    values = run.values(node)
    if values is None:
        return None
    if values[1] == 0:
        raise Undefined("division by zero")
    return _held(values[0] / values[1])


def _power(run: _Evaluator, node: Node) -> Fraction | None:
    values = run.values(node)
    if values is None:
        return None
    base, exponent = values
    if exponent.denominator != 1:
        root = _root_of(base, exponent.denominator)
        return None if root is None else _whole_power(root, exponent.numerator)
    return _whole_power(base, exponent.numerator)


def _whole_power(base: Fraction, exponent: int) -> Fraction | None:
    if base == 0 and exponent <= 0:
        raise Undefined("a power of zero")
    if abs(base) == 1:
        return base if exponent % 2 else Fraction(1)
    return None if abs(exponent) * _bits(base) > MAX_BITS else base**exponent


def _root(run: _Evaluator, node: Node) -> Fraction | None:
    values = run.values(node)
    if values is None or values[1].denominator != 1:
        return None
    return _root_of(values[0], values[1].numerator)


def _root_of(value: Fraction, order: int) -> Fraction | None:
    """The real root when it is rational; none of a negative number with an even order."""
    if not 2 <= order <= 64 or (value < 0 and order % 2 == 0):
        return None
    above, below = _whole_root(abs(value.numerator), order), _whole_root(value.denominator, order)
    if above is None or below is None:
        return None
    return Fraction(-above if value < 0 else above, below)


def _whole_root(value: int, order: int) -> int | None:
    if order == 2:
        root = math.isqrt(value)
    else:
        root = 1 << -(-value.bit_length() // order)  # above the root; Newton's steps fall to it
        while True:
            following = ((order - 1) * root + value // root ** (order - 1)) // order
            if following >= root:
                break
            root = following
    return root if root**order == value else None


def _factorial(run: _Evaluator, node: Node) -> Fraction | None:
    value = run.value(node.parts[0])
    if value is None or value.denominator != 1 or not 0 <= value <= _MAX_FACTORIAL:
        return None
    return Fraction(math.factorial(int(value)))


def _call(run: _Evaluator, node: Node) -> Fraction | None:
    rule = _CALLS.get(node.value)
    values = run.values(node) if rule else None
    if rule is None or values is None or (node.value in _WHOLE and any(value.denominator != 1 for value in values)):
        return None
    return rule(values)


def _binomial(values: list[Fraction]) -> Fraction | None:
    above, below = int(values[0]), int(values[1])
    return Fraction(math.comb(above, below)) if below >= 0 and 0 <= above <= _MAX_FACTORIAL else None


def _logarithm(values: list[Fraction]) -> Fraction | None:
    """A logarithm that is whole: `log_2 8`."""
    if len(values) < 2 or not (1 < values[1] < 10**6 and values[0] > 0):
        return None
    wanted, base, count, power = max(values[0], 1 / values[0]), values[1], 0, Fraction(1)
    while power < wanted and count < 2_000:
        power *= base
        count += 1
    sign = -1 if values[0] < 1 else 1
    return Fraction(sign * count) if power == wanted else None


def _series(run: _Evaluator, node: Node) -> Fraction | None:
    body, name, low, high = node.parts
    bounds = [run.value(low), run.value(high)]
    if any(bound is None or bound.denominator != 1 for bound in bounds):
        return None
    first, last = (int(bound) for bound in bounds if bound is not None)
    if last - first >= _MAX_TERMS:
        return None
    total = Fraction(0 if node.value == "sum" else 1)
    for index in range(first, last + 1):
        value = run.value(replace(body, name.value, number(index)))
        if value is None:
            return None
        run.spend(_bits(total) + _bits(value) + 200)
        total = total + value if node.value == "sum" else total * value
        if _held(total) is None:
            return None
    return total


def _determinant(run: _Evaluator, node: Node) -> Fraction | None:
    """By elimination, exact."""
    rows = [run.values(row) for row in node.parts[0].parts]
    if any(row is None or len(row) != len(rows) for row in rows) or len(rows) > 8:
        return None
    matrix = [list(row) for row in rows if row is not None]
    value = Fraction(1)
    for step in range(len(matrix)):
        pivot = next((row for row in range(step, len(matrix)) if matrix[row][step]), None)
        if pivot is None:
            return _ZERO
        if pivot != step:
            matrix[step], matrix[pivot], value = matrix[pivot], matrix[step], -value
        value *= matrix[step][step]
        for row in range(step + 1, len(matrix)):
            factor = matrix[row][step] / matrix[step][step]
            matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[step], strict=True)]
    return _held(value)


def _opposite(run: _Evaluator, node: Node) -> Fraction | None:
    value = run.value(node.parts[0])
    return None if value is None else -value


def _hundredth(run: _Evaluator, node: Node) -> Fraction | None:
    value = run.value(node.parts[0])
    return None if value is None else value / 100


def _double_factorial(values: list[Fraction]) -> Fraction | None:
    top = int(values[0])
    return Fraction(math.prod(range(top, 0, -2))) if 0 <= top <= _MAX_FACTORIAL else None


_WHOLE = frozenset({"gcd", "lcm", "binom", "double factorial"})
_CALLS: dict[str, Callable[[list[Fraction]], Fraction | None]] = {
    "abs": lambda values: abs(values[0]),
    "floor": lambda values: Fraction(math.floor(values[0])),
    "ceil": lambda values: Fraction(math.ceil(values[0])),
    "sign": lambda values: Fraction((values[0] > 0) - (values[0] < 0)),
    "min": min,
    "max": max,
    "gcd": lambda values: Fraction(math.gcd(*map(int, values))),
    "lcm": lambda values: Fraction(math.lcm(*map(int, values))) if len(values) < 20 else None,
    "binom": _binomial,
    "log": _logarithm,
    "double factorial": _double_factorial,
}
_RULES: dict[str, Callable[[_Evaluator, Node], Fraction | None]] = {
    "sum": _sum,
    "product": _product,
    "quotient": _quotient,
    "power": _power,
    "root": _root,
    "minus": _opposite,
    "percent": _hundredth,
    "factorial": _factorial,
    "call": _call,
    "series": _series,
    "determinant": _determinant,
}
