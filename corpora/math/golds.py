r"""The right answer of a published problem, out of what each sort of set publishes.

`hashes`: after `####` of the solution (GSM8K). `boxed`: inside the last `\boxed` of the solution (MATH). `plain`: the answer's
column as it is. `chinese`: golds of Math23K, Ape210K and CMATH, where `((7)/(15))` is a fraction, `3((1)/(4))` is the mixed number
3 1/4 and not a product, and `25%` a percentage; the equation beside it is calculated again and must give that answer, and
becomes the worked solution. On Math23K the last number of the gold is wrong in 14% of rows, `float` fails on 12%.
"""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction

from corpora.math.annotations import ANSWER_MARK, Expression, Unusable
from corpora.math.questions import fold

_NUMBER = r"\d{1,30}(?:\.\d{1,30})?"
_FRACTION = rf"\(*({_NUMBER})\)*/\(*({_NUMBER})\)*"
_PLAIN = re.compile(rf"(-?)({_NUMBER})(%?)")
_QUOTIENT = re.compile(rf"(-?)\(*{_FRACTION}")
_MIXED = re.compile(rf"(-?)(\d{{1,30}})\(+{_FRACTION}")
_RATIO = re.compile(rf"({_NUMBER}):({_NUMBER})")
_PERCENT = re.compile(rf"({_NUMBER})%")
_MIXED_IN_EQUATION = re.compile(r"(?<![\d.)])(\d{1,30})(\(+\d{1,30}\)*/\(*\d{1,30}\)+)")
_UNIT = re.compile(r"(?<=[\d)%])[^\d()%./:+*-]+\Z")
_BRACKETS = str.maketrans("[]", "()")
_MOST = 500
"""Characters of an equation, or a gold."""
TOLERANCE = Fraction(1, 10_000)
"""Between an equation and its gold, which is often rounded."""


class Style(str, Enum):
    """Where the answer stands."""

    HASHES = "hashes"
    BOXED = "boxed"
    PLAIN = "plain"
    CHINESE = "chinese"


def after_hashes(solution: str) -> str:
    """Give what stands after the mark.

    >>> after_hashes("6 * 12 = 72 #### 72")
    '72'
    """
    _, mark, answer = solution.rpartition(ANSWER_MARK)
    if not mark or not answer.strip():
        raise Unusable(f"no answer after {ANSWER_MARK}")
    return answer.strip()


def boxed(solution: str) -> str:
    r"""Give what the last `\boxed` holds, braces in it too.

    >>> boxed(r"so $x = \boxed{\frac{1}{2}}$."), boxed(r"It is $\boxed 7$.")
    ('\\frac{1}{2}', '7')
    """
    start = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    if start < 0:
        raise Unusable("no boxed answer")
    rest = solution[start:].partition("box")[2].removeprefix("ed").lstrip(" ")
    if not rest.startswith("{"):
        answer = re.split(r"[$\s]", rest, maxsplit=1)[0]
    else:
        depth, end = 0, -1
        for place, mark in enumerate(rest):
            depth += (mark == "{") - (mark == "}")
            if depth == 0:
                end = place
                break
        answer = rest[1:end] if end > 0 else ""
    if not answer.strip():
        raise Unusable("no boxed answer")
    return answer.strip()


def chinese(gold: str) -> Fraction:
    """Read a gold of a Chinese set exactly; a percentage as the share that it is, a ratio as its quotient.

    >>> [str(chinese(gold)) for gold in ("((7)/(15))", "3((1)/(4))", "23(1/3)", "25%", "１２．５", "80千米/小时", "5:2")]
    ['7/15', '13/4', '70/3', '1/4', '25/2', '80', '5/2']
    """
    if len(gold) > _MOST:
        raise Unusable("gold not read")
    text = "".join(fold(gold).split())
    text = re.sub(r"(?<=\d)[^\d()%.:+*-]+/[^\d()%.:+*-]+\Z", "", _UNIT.sub("", text)).removeprefix("x=")
    try:
        if match := _PLAIN.fullmatch(text):
            return _signed(match[1], Fraction(match[2]) / (100 if match[3] else 1))
        if text.count("(") != text.count(")"):
            raise Unusable("gold not read")
        if match := _QUOTIENT.fullmatch(text):
            return _signed(match[1], Fraction(match[2]) / Fraction(match[3]))
        if match := _MIXED.fullmatch(text):
            return _signed(match[1], Fraction(match[2]) + Fraction(match[3]) / Fraction(match[4]))
        if match := _RATIO.fullmatch(text):
            return Fraction(match[1]) / Fraction(match[2])
    except ZeroDivisionError:
        pass
    raise Unusable("gold not read")


def written(gold: str) -> str:
    """Write a gold of a Chinese set as an answer: a fraction in lowest terms, a percentage as one, decimals as they are.

    >>> [written(gold) for gold in ("((2)/(4))", "3((1)/(4))", "25%", "12.50")]
    ['1/2', '13/4', '25%', '12.5']
    """
    value = chinese(gold)
    if "%" in fold(gold):
        return f"{_decimal(value * 100)}%"
    return str(value) if "/" in fold(gold) and "(" in fold(gold) else _decimal(value)


def solution_of(equation: str, gold: str) -> str:
    r"""Write an equation as a worked solution, after calculating that it gives the gold.

    >>> solution_of("x=(120+135)/(3/7)", "595")
    '(120+135)/(3/7) = <<(120+135)/(3/7)=595>>595\n#### 595'
    """
    if len(equation) > _MOST:
        raise Unusable("equation not read")
    text = "".join(fold(equation).split()).removeprefix("x=").translate(_BRACKETS)
    if text.count("=") or "**" in text or "^" in text:
        raise Unusable("equation not read")
    text = _PERCENT.sub(r"(\1/100)", _MIXED_IN_EQUATION.sub(r"(\1+\2)", text))
    try:
        value = Expression.parse(text).evaluate()
    except Unusable:
        raise Unusable("equation not read") from None
    right = chinese(gold)
    if abs(value - right) >= TOLERANCE:
        raise Unusable("equation does not give the answer")
    answer = written(gold)
    if value != right:  # rounded by the publisher: no chain of exact steps ends in it
        return f"{text} ≈ {answer}\n{ANSWER_MARK} {answer}"
    result = _decimal(value)
    shown = f"({result})" if "/" in result else result  # as these sets write fractions
    return f"{text} = <<{text}={result}>>{shown}\n{ANSWER_MARK} {answer}"


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign else value


def _decimal(value: Fraction) -> str:
    """Write a value as a decimal where it is a short one, else as a fraction."""
    for digits in range(7):
        scaled = value * 10**digits
        if scaled.denominator == 1:
            text = f"{abs(int(scaled)):0{digits + 1}d}"
            whole, part = (text[:-digits], text[-digits:]) if digits else (text, "")
            return f"{'-' if value < 0 else ''}{whole}{'.' if part else ''}{part}"
    return str(value)
