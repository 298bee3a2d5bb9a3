"""An equation in one unknown X that stands in it once: written, solved one operation at a time, proved to have one solution.

The unknown goes through a line of operations, each with a known number: 14 * X + 100. Turned around from the last one to
the first, they give X. Exact rationals throughout; no operation is undone that has no inverse (nothing times 0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from corpora.math.annotations import Expression, Unusable, render

UNKNOWN = "X"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
_POINTS = (Fraction(0), Fraction(1), Fraction(3), Fraction(7), Fraction(11), Fraction(-1, 3))


@dataclass(frozen=True)
class Operation:
    """What happens to the unknown: `value sign number`, or `number sign value` when `is_right`."""

    sign: str
    number: Fraction
    is_right: bool = False
    """Whether the unknown is the right operand."""

    def apply(self, value: Fraction) -> Fraction:
        """Carry it out."""
        left, right = (self.number, value) if self.is_right else (value, self.number)
        return Expression.parse(f"0{self.sign}0").evaluate([left, right])

    def undo(self, value: Fraction) -> tuple[str, Fraction]:
        """Give the calculation that leads back, and what it gives."""
        number, back = render(self.number), render(value)
        if self.sign in "+*":
            text = f"{back} {'-' if self.sign == '+' else '/'} {number}"
        elif self.is_right:
            text = f"{number} {self.sign} {back}"
        else:
            text = f"{back} {'+' if self.sign == '-' else '*'} {number}"
        return text, Expression.parse(text).evaluate()


Line = tuple[Operation, ...]
"""Operations in the order in which they are done to the unknown."""


def write(line: Sequence[Operation], unknown: str = UNKNOWN) -> str:
    """Write what the operations make of the unknown, with the parentheses it needs.

    >>> write((Operation("+", Fraction(2)), Operation("*", Fraction(5), is_right=True), Operation("-", Fraction(1))))
    '5 * (X + 2) - 1'
    """
    text, strength = unknown, 3
    for step in line:
        own = _PRECEDENCE[step.sign]
        needs = strength < own or (step.is_right and step.sign in "-/" and strength == own)
        inner = f"({text})" if needs else text
        number = render(step.number)
        text = f"{number} {step.sign} {inner}" if step.is_right else f"{inner} {step.sign} {number}"
        strength = own
    return text


@dataclass(frozen=True)
class Undone:
    """One step of a solution: what is left of the equation, and the calculation that gives its right side."""

    operation: Operation
    left: Line
    calculation: str
    value: Fraction


def solve(line: Line, answer: Fraction) -> Iterator[Undone]:
    """Undo the operations from the last to the first."""
    value = answer
    for position in range(len(line) - 1, -1, -1):
        calculation, value = line[position].undo(value)
        if value < 0:
            raise Unusable("sign")
        yield Undone(line[position], line[:position], calculation, value)


def is_injective(function: Callable[[Fraction], Fraction], near: Fraction) -> bool:
    """Whether a function is (pX + q) / (rX + s) with ps != qr, so that no two X give the same value.

    Three points decide such a function; cross ratios, which it keeps, are compared on three more. Exact.

    >>> is_injective(lambda x: 3 * x + 1, Fraction(5)), is_injective(lambda x: x * x, Fraction(5))
    (True, False)
    """
    points = [near + offset for offset in _POINTS]
    try:
        values = [function(point) for point in points]
    except (Unusable, ZeroDivisionError):
        return False
    if len(set(values[:3])) < 3:
        return False
    first, image = points[:3], values[:3]
    return all(_agree(_ratio(x, first), _ratio(y, image)) for x, y in zip(points[3:], values[3:], strict=True))


def _ratio(value: Fraction, points: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    a, b, c = points
    return (value - a) * (b - c), (value - c) * (b - a)


def _agree(left: tuple[Fraction, Fraction], right: tuple[Fraction, Fraction]) -> bool:
    return left[0] * right[1] == right[0] * left[1]


def operations(expression: Expression, position: int) -> tuple[list[tuple[str, Fraction]], Line]:
    """Read a calculation as operations on one of its operands; calculations among the others are given first.

    >>> given, line = operations(Expression.parse("(2+3)*7-1"), 2)
    >>> given, write(line)
    ([('2 + 3', Fraction(5, 1))], '5 * X - 1')
    """
    given: list[tuple[str, Fraction]] = []
    stack: list[Fraction | list[Operation]] = []
    for item in expression.postfix:
        if isinstance(item, int):
            stack.append([] if item == position else expression.operands[item])
        elif item in _PRECEDENCE:
            right, left = stack.pop(), stack.pop()
            stack.append(_combine(str(item), left, right, given))
        else:
            raise Unusable("operation without inverse")
    line = stack[0]
    if not isinstance(line, list):  # pragma: no cover - `position` names an operand
        raise Unusable("operation without inverse")
    return given, tuple(line)


def _combine(
    sign: str, left: Fraction | list[Operation], right: Fraction | list[Operation], given: list[tuple[str, Fraction]]
) -> Fraction | list[Operation]:
    if isinstance(left, list):
        return [*left, Operation(sign, _known(right))]
    if isinstance(right, list):
        return [*right, Operation(sign, left, is_right=True)]
    text = f"{render(left)} {sign} {render(right)}"
    value = Expression.parse(text).evaluate()
    given.append((text, value))
    return value


def _known(value: Fraction | list[Operation]) -> Fraction:
    if isinstance(value, list):
        raise Unusable("unknown twice")
    return value
