"""The sixteen groups of Math401 (Yuan et al. 2023), from generators of our own: the same sorts of numbers, none of its questions.

Answers are exact where four decimals write them, else rounded to four. Functions are worked out to 60 digits, so every digit
that is printed is right on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from corpora.math.drills import functions
from corpora.math.drills.drill import Drill, Generator, closed, decimal, is_short

_ASKED = ("What is {}?", "Calculate {}.", "{} =", "Work out {}.")
_SIGNS = {"+": Fraction.__add__, "-": Fraction.__sub__, "*": Fraction.__mul__, "/": Fraction.__truediv__}


def _whole(rng: random.Random, low: int, high: int) -> Fraction:
    return Fraction(rng.randint(low, high))


def _with_decimals(rng: random.Random, low: int, high: int) -> Fraction:
    """Draw a number with one to four decimals."""
    scale = 10 ** rng.randint(1, 4)
    return Fraction(rng.randint(low * scale, high * scale), scale)


def _ask(rng: random.Random, expression: str) -> str:
    return rng.choice(_ASKED).format(expression)


def _pair(sign: str, left: Fraction, right: Fraction, rng: random.Random) -> Drill:
    """Ask for one operation on two numbers."""
    expression = f"{decimal(left)} {sign} {closed(decimal(right))}"
    value = _SIGNS[sign](left, right)
    equal = "=" if is_short(value) else "≈"
    lines = (*_products(left, sign, right), f"{expression} {equal} {decimal(value)}")
    operands = sorted((left, right)) if sign in "+*" else [left, right]
    return Drill(_ask(rng, expression), lines, decimal(value), (sign, *operands))


def _products(left: Fraction, sign: str, right: Fraction) -> Iterator[str]:
    """Yield a product of longer whole numbers as a sum of products with one digit."""
    if (
        sign != "*"
        or left.denominator * right.denominator != 1
        or min(abs(left), abs(right)) < 10
        or min(left, right) < 0
    ):
        return
    digits = [int(digit) * 10**place for place, digit in enumerate(reversed(str(right)))]
    parts = [part for part in reversed(digits) if part]
    if len(parts) > 1:
        products = " + ".join(f"{left} * {part}" for part in parts)
        yield f"{left} * {right} = {products} = {' + '.join(str(left * part) for part in parts)}"


def _sums(low: int, high: int) -> Generator:
    return lambda rng: _pair(rng.choice("+-"), _whole(rng, low, high), _whole(rng, low, high), rng)


def _decimal_sums(rng: random.Random) -> Drill:
    return _pair(rng.choice("+-"), _with_decimals(rng, -100, 100), _with_decimals(rng, -100, 100), rng)


def _multiply(high: int) -> Generator:
    return lambda rng: _pair("*", _whole(rng, 0, high), _whole(rng, 0, high), rng)


def _decimal_products(rng: random.Random) -> Drill:
    return _pair("*", _with_decimals(rng, 0, 10), _with_decimals(rng, 0, 10), rng)


def _divide(rng: random.Random) -> Drill:
    return _pair("/", _whole(rng, 0, 100), _whole(rng, 1, 100), rng)


def _whole_powers(rng: random.Random) -> Drill:
    base, exponent = rng.randint(0, 10), rng.randint(2, 4)
    expression = f"{base}^{exponent}"
    products = " * ".join([str(base)] * exponent)
    line = f"{expression} = {products} = {base**exponent}"
    return Drill(_ask(rng, expression), (line,), str(base**exponent), ("^", base, exponent))


def _powers(rng: random.Random) -> Drill:
    base, exponent = _with_decimals(rng, 1, 10), _with_decimals(rng, 2, 4)
    expression, value = f"{decimal(base)}^{decimal(exponent)}", decimal(functions.power(base, exponent))
    lines = (
        f"{expression} = e^({decimal(exponent)} * ln({decimal(base)}))",
        f"ln({decimal(base)}) ≈ {decimal(functions.ln(base), 8)}",
        f"{expression} ≈ {value}",
    )
    return Drill(_ask(rng, expression), lines, value, ("^", base, exponent))


def _irrational(rng: random.Random) -> Drill:
    name, sign = rng.choice(("e", "π")), rng.choice("+-*")
    number, constant = _whole(rng, 0, 10), functions.E if name == "e" else functions.PI
    first = rng.random() < 0.5
    expression = f"{number} {sign} {name}" if first else f"{name} {sign} {number}"
    value = decimal(_SIGNS[sign](*((number, constant) if first else (constant, number))))
    lines = (f"{name} ≈ {decimal(constant, 8)}", f"{expression} ≈ {value}")
    operands = sorted((name, str(number))) if sign in "+*" else [expression]
    return Drill(_ask(rng, expression), lines, value, (sign, *operands))


def _long(rng: random.Random) -> Drill:
    """Ask for an expression with parentheses, and work it out one operation a line."""
    while True:
        tree = _tree(rng, rng.randint(4, 7))
        lines = list(_reduced(tree))
        if lines:
            expression, answer = _write(tree), lines[-1]
            worked = tuple(f"= {line}" for line in lines)
            return Drill(_ask(rng, expression), (expression, *worked), answer, ("long", expression))


_Tree = Fraction | tuple[str, "_Tree", "_Tree"]
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def _tree(rng: random.Random, leaves: int) -> _Tree:
    if leaves == 1:
        return _whole(rng, 1, 99)
    left = rng.randint(1, leaves - 1)
    return rng.choice("+-*+-*/"), _tree(rng, left), _tree(rng, leaves - left)


def _reduced(tree: _Tree) -> Iterator[str]:
    """Yield what is left after each operation, innermost and leftmost first; nothing where a number gets long."""
    lines = []
    while isinstance(tree, tuple):
        reduced = _reduce(tree)
        if reduced is None:
            return
        tree = reduced
        lines.append(_write(tree))
    yield from lines


def _reduce(tree: _Tree) -> _Tree | None:
    if not isinstance(tree, tuple):
        return None
    sign, left, right = tree
    if isinstance(left, tuple):
        inner = _reduce(left)
        return None if inner is None else (sign, inner, right)
    if isinstance(right, tuple):
        inner = _reduce(right)
        return None if inner is None else (sign, left, inner)
    if sign == "/" and right == 0:
        return None
    value = _SIGNS[sign](left, right)
    return value if is_short(value, 2) and abs(value) < 10**9 else None


def _write(tree: _Tree) -> str:
    if not isinstance(tree, tuple):
        return decimal(tree)
    sign, left, right = tree
    first = f"({_write(left)})" if _is_weaker(left, sign) else _write(left)
    is_open = _is_weaker(right, sign) or (
        isinstance(right, tuple) and sign in "-/" and _STRENGTH[right[0]] == _STRENGTH[sign]
    )
    second = f"({_write(right)})" if is_open else _write(right)
    return f"{first} {sign} {closed(second)}"


def _is_weaker(tree: _Tree, sign: str) -> bool:
    return isinstance(tree, tuple) and _STRENGTH[tree[0]] < _STRENGTH[sign]


def _trigonometry(rng: random.Random) -> Drill:
    """Ask for a sine, cosine or tangent of degrees, radians, or a multiple of π; no tangent near its poles."""
    while True:
        name, form = rng.choice(("sin", "cos", "tan")), rng.choice(("degrees", "radians", "pi"))
        number = _whole(rng, -360, 360) if form == "degrees" else Fraction(rng.randint(-1000, 1000), 100)
        angle = {
            "degrees": number * functions.PI / 180,
            "radians": number,
            "pi": Fraction(round(number * 4), 16) * functions.PI,
        }[form]
        if name != "tan" or abs(functions.cos(angle)) > Fraction(1, 20):
            break
    shown = {"degrees": f"{number}°", "radians": decimal(number), "pi": f"{decimal(Fraction(round(number * 4), 16))}π"}[
        form
    ]
    value, expression = decimal(functions.TRIGONOMETRY[name](angle)), f"{name}({shown})"
    return Drill(_ask(rng, expression), (f"{expression} ≈ {value}",), value, (name, shown))


def _logarithm(rng: random.Random) -> Drill:
    number, (name, base) = _whole(rng, 1, 1000), rng.choice((("log2", 2), ("ln", 0), ("log10", 10)))
    natural = functions.ln(number)
    value = decimal(natural / functions.ln(Fraction(base)) if base else natural)
    expression = f"{name}({number})"
    return Drill(_ask(rng, expression), (f"{expression} ≈ {value}",), value, (name, number))


GROUPS: dict[str, Generator] = {
    "sums-10": _sums(0, 10),
    "sums-100": _sums(0, 100),
    "sums-1000": _sums(0, 1000),
    "sums-1e12": _sums(0, 10**12),
    "signed-sums-10": _sums(-10, 10),
    "decimal-sums": _decimal_sums,
    "products-100": _multiply(100),
    "decimal-products": _decimal_products,
    "products-1e5": _multiply(100_000),
    "divisions": _divide,
    "powers": _whole_powers,
    "decimal-powers": _powers,
    "irrational": _irrational,
    "long": _long,
    "trigonometry": _trigonometry,
    "logarithms": _logarithm,
}
"""In the order of the benchmark."""
