"""Worked solutions whose steps carry their calculation, `<<48/2=24>>`, read and executed again with exact rationals.

A solution is usable when every step gives what is written, and the last step gives the answer after `####`: then the steps
prove the answer, and can be carried to other numbers. Anything else is `Unusable`, with the reason.
Source: GSM8K (Cobbe et al. 2021), whose annotations use digits, `+ - * / // ( )` and decimals only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

ANNOTATION = re.compile(r"<<([^<>=]*)=([^<>=]*)>>")
NUMBER = re.compile(r"(?:(?<![\w.])|(?<=\d[xX]))(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)(?!\d)")
"""A number in prose; thousands may be separated by commas. `3x14` has two."""
OPERAND = re.compile(r"\d+\.\d+|\.\d+|\d+\.?")
"""A number inside an annotation."""
ANSWER_MARK = "####"

_TOKEN = re.compile(rf"\s*(?:(?P<number>{OPERAND.pattern})|(?P<sign>//|[-+*/()]))\s*")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "negate": 3}
_MAX_OPERANDS = 60  # of one annotation; the longest of GSM8K has 21


class Unusable(ValueError):
    """A problem that a rule cannot use, and why: a few words without numbers, so that reasons can be counted."""


@dataclass(frozen=True)
class Expression:
    """A calculation in postfix order: positions of `operands`, and operators."""

    text: str
    operands: tuple[Fraction, ...]
    postfix: tuple[int | str, ...]

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read one calculation by shunting-yard."""
        operands: list[Fraction] = []
        postfix: list[int | str] = []
        stack: list[str] = []
        position, wants_operand = 0, True
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or len(operands) > _MAX_OPERANDS:
                raise Unusable("calculation not read")
            position = match.end()
            if match["number"]:
                if not wants_operand:
                    raise Unusable("calculation not read")
                postfix.append(len(operands))
                operands.append(to_value(match["number"].rstrip(".")))
                wants_operand = False
            else:
                wants_operand = _shunt(match["sign"], stack, postfix, wants_operand=wants_operand)
        if wants_operand or "(" in stack:
            raise Unusable("calculation not read")
        return cls(text, tuple(operands), (*postfix, *reversed(stack)))

    def evaluate(self, operands: Sequence[Fraction] | None = None) -> Fraction:
        """Give the value, with other numbers where `operands` has them.

        >>> Expression.parse("48/2 - -1").evaluate(), Expression.parse("48/2").evaluate([Fraction(10), Fraction(4)])
        (Fraction(25, 1), Fraction(5, 2))
        """
        values = self.operands if operands is None else operands
        stack: list[Fraction] = []
        for item in self.postfix:
            if isinstance(item, int):
                stack.append(values[item])
            elif item == "negate":
                stack.append(-stack.pop())
            else:
                right = stack.pop()
                stack.append(_OPERATIONS[item](stack.pop(), right))
        return stack[0]


@dataclass(frozen=True)
class Step:
    """One annotation: its calculation, what it gives, and where it stands in the body."""

    expression: Expression
    result: Fraction
    start: int
    end: int


@dataclass(frozen=True)
class Chain:
    """A usable solution: its text before `####`, its steps, its answer."""

    body: str
    steps: tuple[Step, ...]
    answer: Fraction

    @cached_property
    def results(self) -> tuple[Fraction, ...]:
        """What the steps give, in order."""
        return tuple(step.result for step in self.steps)

    @property
    def path_key(self) -> str:
        """Name the reasoning: see `path_key`."""
        return path_key((step.expression, step.result) for step in self.steps)


def path_key(equations: Iterable[tuple[Expression, Fraction]]) -> str:
    """Name the reasoning: the set of equations in one order, each canonical, whatever order they stand in."""
    return "|".join(sorted({f"{canonical(expression)}={result}" for expression, result in equations}))


def read_chain(solution: str) -> Chain:
    """Read a solution and execute every step again."""
    chain = read_steps(solution)
    if chain.results[-1] != chain.answer:
        raise Unusable("final answer is not the last step")
    return chain


def read_steps(solution: str) -> Chain:
    """Read a solution and execute every step again, wherever the answer comes from."""
    body, mark, last = solution.rpartition(ANSWER_MARK)
    steps = tuple(_step(match) for match in ANNOTATION.finditer(body))
    if not mark:
        raise Unusable("no final answer")
    if not steps:
        raise Unusable("no annotation")
    return Chain(body, steps, _read_number(last, "final answer not a number"))


def without_annotations(solution: str) -> str:
    """Take the annotations out, as a reader should see the solution."""
    return ANNOTATION.sub("", solution)


def to_value(text: str) -> Fraction:
    """Read digits with optional thousands separators."""
    return Fraction(text.replace(",", ""))


def render(value: Fraction, like: str = "") -> str:
    """Write a number, in the manner of `like`: thousands separated as there, two decimals as there.

    >>> render(Fraction(5, 2)), render(Fraction(1200), "1,000"), render(Fraction(5, 2), "1.25")
    ('2.5', '1,200', '2.50')
    """
    cents = value * 100
    if cents.denominator != 1:
        raise Unusable("more than two decimals")
    decimals = next(k for k in (0, 1, 2) if (value * 10**k).denominator == 1)
    if re.search(r"\.\d\d$", like):
        decimals = 2
    scaled = abs(value * 10**decimals)
    whole, part = divmod(int(scaled), 10**decimals)
    digits = f"{whole:,}" if "," in like else str(whole)
    sign = "-" if value < 0 else ""
    return f"{sign}{digits}.{part:0{decimals}d}" if decimals else f"{sign}{digits}"


def canonical(expression: Expression) -> str:
    """Write a calculation so that the order and grouping of what is added, or multiplied, do not show.

    >>> canonical(Expression.parse("3*2+1")), canonical(Expression.parse("4-(1+2)*5"))
    ('((2*3)+1)', '(4-((1+2)*5))')
    >>> canonical(Expression.parse("1+(2+3)")) == canonical(Expression.parse("(3+1)+2"))
    True
    """
    stack: list[tuple[str, ...]] = []  # operands of a sum or a product, behind its sign; or one text, behind ""
    for item in expression.postfix:
        if isinstance(item, int):
            stack.append(("", str(expression.operands[item])))
        elif item == "negate":
            stack.append(("", f"(-{_closed(stack.pop())})"))
        else:
            right, left = stack.pop(), stack.pop()
            if item in ("+", "*"):
                stack.append((item, *(text for side in (left, right) for text in _operands(side, item))))
            else:
                stack.append(("", f"({_closed(left)}{item}{_closed(right)})"))
    return _closed(stack[0])


def _operands(side: tuple[str, ...], sign: str) -> tuple[str, ...]:
    return side[1:] if side[0] == sign else (_closed(side),)


def _closed(side: tuple[str, ...]) -> str:
    sign, *texts = side
    return f"({sign.join(sorted(texts))})" if sign else texts[0]


def _step(match: re.Match[str]) -> Step:
    expression = Expression.parse(match[1].strip())
    result = _read_number(match[2], "result not a number")
    if expression.evaluate() != result:
        raise Unusable("step does not give its result")
    return Step(expression, result, match.start(), match.end())


def _read_number(text: str, reason: str) -> Fraction:
    try:
        return to_value(text.strip().lstrip("$"))
    except (ValueError, ZeroDivisionError):
        raise Unusable(reason) from None


def _shunt(sign: str, stack: list[str], postfix: list[int | str], *, wants_operand: bool) -> bool:
    """Take in an operator or a parenthesis; say whether an operand must follow."""
    if sign == "(":
        if not wants_operand:
            raise Unusable("calculation not read")
        stack.append(sign)
        return True
    if sign == ")":
        while stack and stack[-1] != "(":
            postfix.append(stack.pop())
        if wants_operand or not stack:
            raise Unusable("calculation not read")
        stack.pop()
        return False
    if wants_operand:
        if sign in ("*", "/", "//"):
            raise Unusable("calculation not read")
        if sign == "-":
            stack.append("negate")
        return True
    while stack and stack[-1] != "(" and _PRECEDENCE[stack[-1]] >= _PRECEDENCE[sign]:
        postfix.append(stack.pop())
    stack.append(sign)
    return True


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise Unusable("division by zero")
    return left / right


_OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "//": lambda left, right: Fraction(_divide(left, right).__floor__()),
}
