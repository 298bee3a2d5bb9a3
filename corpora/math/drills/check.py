"""Work a drill out again from its question, by other means than the generators: Python's parser, rationals, floating point.

An expression is calculated, an equation is tried out (it holds for the answer and for no neighbour; a system by Cramer's
rule), units are converted by way of metres, grams, litres and seconds. What the solution says in numbers is checked too.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from corpora.math.annotations import ANSWER_MARK, Unusable
from corpora.math.prose import is_true

_PLACES = 4
_MAX_EXPONENT = 64
_MAX_BASE = 10**6
_LONGEST = 300
Number = Fraction | float


def check(row: dict[str, str]) -> tuple[str, str]:
    """Give evidence and path of a drill; `Unusable` when its answer, or a line of its solution, is another."""
    body, mark, last = row["solution"].rpartition(ANSWER_MARK)
    if not mark or last.strip() != row["answer"]:
        raise Unusable("answer is not the solution's")
    if not is_true(body):
        raise Unusable("text has a wrong calculation")
    for pattern, checker in _FORMS:
        match = pattern.fullmatch(row["question"])
        if match:
            checker(row["answer"], *match.groups())
            return "recomputed", f"{''.join(match.groups()).replace(' ', '')}={row['answer']}"
    raise Unusable("drill not read")


def _same(answer: str, value: Number) -> None:
    """See that an answer is a value: exactly where four decimals write it, else rounded to them."""
    given = Fraction(answer)
    if isinstance(value, Fraction):
        is_short = (value * 10**_PLACES).denominator == 1
        is_right = given == value if is_short else abs(given - value) <= Fraction(1, 2 * 10**_PLACES)
    else:
        is_right = abs(float(given) - value) <= 0.5 * 10**-_PLACES + 1e-9 * max(1.0, abs(value))
    if not is_right:
        raise Unusable("answer is not the calculation's")


def _expression(answer: str, text: str) -> None:
    _same(answer, calculate(text))


def _fraction(answer: str, text: str) -> None:
    value = calculate(text)
    if str(value) != answer:
        raise Unusable("answer is not the calculation's")


def _equation(answer: str, left: str, right: str) -> None:
    x = Fraction(answer)
    if _difference(left, right, x) != 0 or any(
        _difference(left, right, x + d) == 0 for d in (-2, -1, 1, Fraction(1, 2))
    ):
        raise Unusable("answer is no solution")


def _larger(answer: str, left: str) -> None:
    """See that an answer is a root, and that the parabola goes up there: it is the right one."""
    x = Fraction(answer)
    if _difference(left, "0", x) != 0 or _difference(left, "0", x + Fraction(1, 100)) <= 0:
        raise Unusable("answer is no solution")


def _difference(left: str, right: str, x: Fraction) -> Number:
    return calculate(left, x=x) - calculate(right, x=x)


def _system(answer: str, first: str, p: str, second: str, q: str) -> None:
    (a, b), (c, d) = (
        (calculate(t, x=Fraction(1), y=Fraction(0)), calculate(t, x=Fraction(0), y=Fraction(1)))
        for t in (first, second)
    )
    if a * d == b * c:
        raise Unusable("answer is no solution")
    _same(answer, (Fraction(p) * d - Fraction(q) * b) / (a * d - b * c))


def _at(answer: str, text: str, x: str) -> None:
    _same(answer, calculate(text, x=Fraction(x)))


def _term(answer: str, index: str, shown: str) -> None:
    terms = [int(text) for text in shown.split(", ")]
    while len(terms) < int(index):
        terms.append(terms[-1] + terms[1] - terms[0])
    if any(b - a != terms[1] - terms[0] for a, b in pairwise(terms)):
        raise Unusable("no sequence")
    _same(answer, Fraction(terms[int(index) - 1]))


def _part(answer: str, part: str, whole: str) -> None:
    share = Fraction(part.rstrip("%")) / (100 if part.endswith("%") else 1)
    _same(answer, share * Fraction(whole))


def _units(answer: str, asked: str, number: str, given: str) -> None:
    for sort in _IN_BASE:
        if asked in sort and given in sort:
            _same(answer, Fraction(number) * sort[given] / sort[asked])
            return
    raise Unusable("units of two sorts")


def calculate(text: str, **names: Fraction) -> Number:
    """Calculate an expression as drills write them: exact until a function or an irrational number comes in.

    >>> calculate("3x^2 - 2x + 1", x=Fraction(2)), calculate("7^2 - (-1)"), round(calculate("sin(30°)"), 9)
    (Fraction(9, 1), Fraction(50, 1), 0.5)
    """
    spelled = text
    for pattern, spelling in _SPELLINGS:
        spelled = pattern.sub(spelling, spelled)
    try:
        tree = ast.parse(spelled.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unusable("calculation not read") from None
    if len(text) > _LONGEST:
        raise Unusable("calculation not read")
    return _value(tree.body, spelled.strip(), names)


def _value(node: ast.expr, text: str, names: dict[str, Fraction]) -> Number:
    if isinstance(node, ast.Constant):
        return Fraction(text[node.col_offset : node.end_col_offset])
    if isinstance(node, ast.Name) and (node.id in names or node.id in _CONSTANTS):
        return names[node.id] if node.id in names else _CONSTANTS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text, names)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _value(node.left, text, names), _value(node.right, text, names)
        return _OPERATIONS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](float(_value(node.args[0], text, names)))
    raise Unusable("calculation not read")


def _divide(left: Number, right: Number) -> Number:
    if right == 0:
        raise Unusable("division by zero")
    return left / right


def _raise(base: Number, exponent: Number) -> Number:
    is_bounded = -_MAX_EXPONENT <= exponent <= _MAX_EXPONENT and -_MAX_BASE <= base <= _MAX_BASE
    if not is_bounded or (base < 0 and exponent != int(exponent)):
        raise Unusable("calculation not read")
    if isinstance(base, Fraction) and exponent == int(exponent) and exponent >= 0:
        return Fraction(base ** int(exponent))
    return float(math.pow(base, exponent))


_OPERATIONS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: _divide,
    ast.Pow: _raise,
}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "ln": math.log,
    "lb": math.log2,
    "lg": math.log10,
}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_SPELLINGS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"log2\(", "lb("),
        (r"log10\(", "lg("),
        (r"(\d)°", r"\1 * pi / 180"),
        (r"(\d)π", r"\1 * pi"),
        (r"π", "pi"),
        (r"\^", "**"),
        (r"(\d)([xy])", r"\1 * \2"),
    )
)

_N = r"-?\d+(?:\.\d+)?"
_FRACTIONS = r"[-+*/()\d ]+"
_FORMS: tuple[tuple[re.Pattern[str], Callable[..., None]], ...] = tuple(
    (re.compile(pattern), checker)
    for pattern, checker in (
        (rf"What is ({_FRACTIONS}),? in lowest terms\?", _fraction),
        (rf"What is ({_N}%|\d+/\d+) of ({_N})\?", _part),
        (r"What is the larger solution of ([-+*x^\d ]+) = 0\?", _larger),
        (rf"What is ([-+x^\d ]+x[-+x^\d ]*) for x = ({_N})\?", _at),
        (rf"What is term number (\d+) of the sequence ((?:{_N}, )+{_N}), \.\.\.\?", _term),
        (r"Solve for x: ([-+x/\d ]+) = ([-+x/\d ]+)", _equation),
        (rf"Given ([-+xy\d ]+) = ({_N}) and ([-+xy\d ]+) = ({_N}), what is x\?", _system),
        (rf"How many ([a-z ]+) are ({_N}) ([a-z ]+)\?", _units),
        (r"(?:What is|Calculate|Work out) ([-+*/^().\dπ°a-z ]+)[?.]", _expression),
        (r"([-+*/^().\dπ°a-z ]+) =", _expression),
    )
)
_IN_BASE: tuple[dict[str, Fraction], ...] = tuple(
    {name: Fraction(value) for name, value in sort.items()}
    for sort in (
        {"seconds": "1", "minutes": "60", "hours": "3600", "days": "86400", "weeks": "604800"},
        {"millimeters": "0.001", "centimeters": "0.01", "meters": "1", "kilometers": "1000"}
        | {"inches": "0.0254", "feet": "0.3048", "yards": "0.9144", "miles": "1609.344"},
        {"milligrams": "0.001", "grams": "1", "kilograms": "1000", "tonnes": "1000000"}
        | {"ounces": "28.349523125", "pounds": "453.59237", "short tons": "907184.74"},
        {"milliliters": "0.001", "liters": "1"},
        {"teaspoons": "4.92892159375", "tablespoons": "14.78676478125", "cups": "236.5882365"}
        | {"pints": "473.176473", "quarts": "946.352946", "gallons": "3785.411784"},
    )
)
"""Units in metres, grams, litres, millilitres and seconds; by definition, exact."""
