"""Programs of ours read back without running them: one assignment a line, calculated with exact rationals.

A second way to the answer beside the sandbox, and the equations that name the reasoning: the same for a program as for the
solution in words that it was made from.
"""

from __future__ import annotations

import re
from fractions import Fraction

from corpora.math.annotations import OPERAND, Expression, Unusable, path_key, to_value

_ASSIGNMENT = re.compile(r"([a-z]\d+) = ([^#\n]+?) *(?:#.*)?")
_PRINT = re.compile(r"print\(([a-z]\d+)\)")
_NAME_OR_NUMBER = re.compile(rf"(?P<name>[a-z]\d+)|{OPERAND.pattern}")
_MAX_LINES = 200


def execute(program: str) -> tuple[Fraction, str]:
    r"""Give what a program prints, exactly, and its path.

    >>> execute("q1 = 14  # 14 pens\ns1 = q1*3\nprint(s1)")
    (Fraction(42, 1), '(14*3)=42')
    """
    values: dict[str, Fraction] = {}
    equations: list[tuple[Expression, Fraction]] = []
    lines = [line for line in program.splitlines() if line and not line.startswith("#")]
    for line in lines[:-1]:
        match = _ASSIGNMENT.fullmatch(line)
        if match is None or len(lines) > _MAX_LINES:
            raise Unusable("program not read")
        expression = _expression(match[2], values)
        values[match[1]] = expression.evaluate()
        if match[1].startswith("s"):
            equations.append((expression, values[match[1]]))
    printed = _PRINT.fullmatch(lines[-1]) if lines else None
    if printed is None or printed[1] not in values:
        raise Unusable("program not read")
    return values[printed[1]], path_key(equations)


def _expression(text: str, values: dict[str, Fraction]) -> Expression:
    """Read a calculation with names in it; `(q1 / 100)` is one number, as it is in words."""
    operands: list[Fraction] = []

    def number(match: re.Match[str]) -> str:
        name = match["name"]
        if name and name not in values:
            raise Unusable("program not read")
        operands.append(values[name] if name else to_value(match.group().rstrip(".")))
        return "0"

    parsed = Expression.parse(_NAME_OR_NUMBER.sub(number, _PERCENT.sub(lambda m: _percent(m, values), text)))
    if len(parsed.operands) != len(operands):
        raise Unusable("program not read")
    return Expression(text, tuple(operands), parsed.postfix)


_PERCENT = re.compile(r"\(([a-z]\d+) / 100\)")


def _percent(match: re.Match[str], values: dict[str, Fraction]) -> str:
    values[f"{match[1]}00"] = values.get(match[1], Fraction(0)) / 100
    return f"{match[1]}00"
