"""Algebra, fractions and units: exercises with one exact answer, worked out line by line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from math import gcd

from corpora.math.drills.drill import Drill, Generator, closed, decimal

# Algebra -----------------------------------------------------------------------------------------------


def _term(coefficient: int, name: str = "x") -> str:
    return {1: name, -1: f"-{name}"}.get(coefficient, f"{coefficient}{name}")


def _plus(number: int, text: str = "") -> str:
    """Write ` + 5` or ` - 5`, of a term ` + 5x`; nothing for 0."""
    if number == 0:
        return ""
    size = "" if abs(number) == 1 and text else str(abs(number))
    return f" {'-' if number < 0 else '+'} {size}{text}"


def _away(number: int) -> str:
    return f"Subtract {number}" if number > 0 else f"Add {-number}"


def _nonzero(rng: random.Random, low: int, high: int) -> int:
    return rng.choice([number for number in range(low, high + 1) if number])


def _linear(rng: random.Random) -> Drill:
    a, x, b = _nonzero(rng, -12, 12), rng.randint(-20, 20), _nonzero(rng, -40, 40)
    if a in (1, -1):
        a *= rng.randint(2, 9)
    equation = f"{_term(a)}{_plus(b)} = {a * x + b}"
    lines = (
        f"{_away(b)} on both sides: {_term(a)} = {a * x + b}{_plus(-b)} = {a * x}",
        f"Divide by {a}: x = {a * x} / {closed(str(a))} = {x}",
    )
    return Drill(f"Solve for x: {equation}", lines, str(x), ("linear", equation))


def _two_sided(rng: random.Random) -> Drill:
    a, c, x, b = _nonzero(rng, -9, 9), _nonzero(rng, -9, 9), rng.randint(-15, 15), rng.randint(-30, 30)
    while a - c in (0, 1, -1):
        a, c = _nonzero(rng, -12, 12), _nonzero(rng, -9, 9)
    d = (a - c) * x + b
    equation = f"{_term(a)}{_plus(b)} = {_term(c)}{_plus(d)}"
    moved = "" if b == 0 else f"{_away(b)} on both sides: {_term(a - c)} = {d}{_plus(-b)} = {d - b}"
    lines = (
        f"{'Subtract' if c > 0 else 'Add'} {_term(abs(c))} on both sides: {_term(a - c)}{_plus(b)} = {d}",
        *([moved] if moved else []),
        f"Divide by {a - c}: x = {d - b} / {closed(str(a - c))} = {x}",
    )
    return Drill(f"Solve for x: {equation}", lines, str(x), ("linear", equation))


def _proportion(rng: random.Random) -> Drill:
    a, b, factor = rng.randint(1, 15), rng.randint(2, 15), rng.randint(2, 12)
    equation = f"{a}/{b} = x/{b * factor}"
    lines = (
        f"Multiply both sides by {b * factor}: x = {a} * {b * factor} / {b}",
        f"x = {a * b * factor} / {b} = {a * factor}",
    )
    return Drill(f"Solve for x: {equation}", lines, str(a * factor), ("linear", equation))


def _system(rng: random.Random) -> Drill:
    x, y, a, b = rng.randint(-12, 12), rng.randint(-12, 12), rng.randint(1, 6), rng.randint(1, 6)
    c, d = rng.randint(1, 6), -rng.randint(1, 6)
    first = f"{_term(a)}{_plus(b, 'y')} = {a * x + b * y}"
    second = f"{_term(c)}{_plus(d, 'y')} = {c * x + d * y}"
    left, right = -d * a + b * c, -d * (a * x + b * y) + b * (c * x + d * y)
    larger = f"{_term(-d * a)}{_plus(-d * b, 'y')} = {-d * (a * x + b * y)}"
    smaller = f"{_term(b * c)}{_plus(b * d, 'y')} = {b * (c * x + d * y)}"
    lines = (
        f"Multiply the first equation by {-d} and the second by {b}, so that y goes when they are added.",
        f"{larger} and {smaller}",
        f"Added: {_term(left)} = {right}",
        f"x = {right} / {left} = {x}",
    )
    question = f"Given {first} and {second}, what is x?"
    return Drill(question, lines, str(x), ("system", first, second))


def _quadratic(rng: random.Random) -> Drill:
    low, high = sorted(rng.sample(range(-12, 13), 2))
    left = f"x^2{_plus(-low - high, 'x')}{_plus(low * high)}"
    equation = f"{left} = 0"
    lines = (
        f"We look for two numbers with product {low * high} and sum {low + high}: {low} and {high}.",
        f"{left} = {_factor(low)}{_factor(high)}, which is 0 for x = {low} and x = {high}.",
        f"The larger one is {high}.",
    )
    return Drill(f"What is the larger solution of {equation}?", lines, str(high), ("quadratic", equation))


def _factor(root: int) -> str:
    return f"(x{_plus(-root)})" if root else "x"


def _polynomial(rng: random.Random) -> Drill:
    a, b, c, x = _nonzero(rng, -9, 9), _nonzero(rng, -9, 9), rng.randint(-20, 20), rng.randint(-9, 9)
    expression = f"{_term(a, 'x^2')}{_plus(b, 'x')}{_plus(c)}"
    put = closed(str(x))
    lines = (
        f"x^2 = {put} * {put} = {x * x}",
        f"{closed(str(a))} * {x * x} = {a * x * x} and {closed(str(b))} * {put} = {b * x}",
        f"{a * x * x}{_plus(b * x)}{_plus(c)} = {a * x * x + b * x + c}",
    )
    question = f"What is {expression} for x = {x}?"
    return Drill(question, lines, str(a * x * x + b * x + c), ("polynomial", expression, x))


def _sequence(rng: random.Random) -> Drill:
    start, step, index = rng.randint(-20, 40), _nonzero(rng, -12, 15), rng.randint(6, 40)
    shown = ", ".join(str(start + step * k) for k in range(4))
    value, jumps = start + step * (index - 1), f"{start} + {index - 1} * {closed(str(step))}"
    lines = (
        f"Each term is the one before plus {closed(str(step))}.",
        f"That is {index - 1} times: {jumps} = {start} + {closed(str(step * (index - 1)))} = {value}",
    )
    return Drill(
        f"What is term number {index} of the sequence {shown}, ...?", lines, str(value), ("term", shown, index)
    )


# Fractions ---------------------------------------------------------------------------------------------


def _fraction(rng: random.Random) -> tuple[int, int]:
    """Draw a fraction in lowest terms that is not whole."""
    while True:
        below = rng.randint(2, 15)
        above = rng.randint(1, 2 * below)
        if gcd(above, below) == 1:
            return above, below


def _reduced(above: int, below: int) -> Iterator[str]:
    """Yield a fraction, and what it is in lowest terms where that is another."""
    yield f"{above}/{below}"
    if str(Fraction(above, below)) != f"{above}/{below}":
        yield str(Fraction(above, below))


def _fraction_sum(rng: random.Random) -> Drill:
    (a, b), (c, d) = _fraction(rng), _fraction(rng)
    sign = rng.choice("+-")
    common = b * d // gcd(b, d)
    first, second = a * common // b, c * common // d
    value = first + second if sign == "+" else first - second
    lines = (
        f"The least common denominator of {b} and {d} is {common}.",
        f"{a}/{b} {sign} {c}/{d} = {first}/{common} {sign} {second}/{common} = {' = '.join(_reduced(value, common))}",
    )
    pair = sorted((f"{a}/{b}", f"{c}/{d}")) if sign == "+" else [f"{a}/{b}", f"{c}/{d}"]
    return Drill(
        f"What is {a}/{b} {sign} {c}/{d}, in lowest terms?", lines, str(Fraction(value, common)), (sign, *pair)
    )


def _fraction_product(rng: random.Random) -> Drill:
    (a, b), (c, d) = _fraction(rng), _fraction(rng)
    sign = rng.choice("*/")
    top, bottom = (a * c, b * d) if sign == "*" else (a * d, b * c)
    turned = "" if sign == "*" else f"({a}/{b}) * ({d}/{c}) = "
    lines = (f"({a}/{b}) {sign} ({c}/{d}) = {turned}{' = '.join(_reduced(top, bottom))}",)
    pair = sorted((f"{a}/{b}", f"{c}/{d}")) if sign == "*" else [f"{a}/{b}", f"{c}/{d}"]
    question = f"What is ({a}/{b}) {sign} ({c}/{d}), in lowest terms?"
    return Drill(question, lines, str(Fraction(top, bottom)), (sign, *pair))


def _simplify(rng: random.Random) -> Drill:
    (a, b), factor = _fraction(rng), rng.randint(2, 12)
    lines = (
        f"The greatest common divisor of {a * factor} and {b * factor} is {factor}.",
        f"{a * factor} / {factor} = {a} and {b * factor} / {factor} = {b}",
    )
    question = f"What is {a * factor}/{b * factor} in lowest terms?"
    return Drill(question, lines, f"{a}/{b}", ("simplify", a * factor, b * factor))


def _fraction_of(rng: random.Random) -> Drill:
    below = rng.randint(2, 12)
    above, part = rng.randint(1, below - 1), rng.randint(2, 40)
    lines = (f"1/{below} of {below * part} is {below * part} / {below} = {part}", f"{above} * {part} = {above * part}")
    question = f"What is {above}/{below} of {below * part}?"
    return Drill(question, lines, str(above * part), ("of", above, below, part))


def _percent_of(rng: random.Random) -> Drill:
    percent, number = rng.randint(1, 99), rng.randint(2, 900)
    value = Fraction(percent * number, 100)
    lines = (f"{percent}% of {number} is {percent} * {number} / 100", f"{percent * number} / 100 = {decimal(value)}")
    return Drill(f"What is {percent}% of {number}?", lines, decimal(value), ("percent", percent, number))


# Units -------------------------------------------------------------------------------------------------

_SCALES: dict[str, tuple[tuple[str, int], ...]] = {
    "time": (("seconds", 60), ("minutes", 60), ("hours", 24), ("days", 7), ("weeks", 1)),
    "metric length": (("millimeters", 10), ("centimeters", 100), ("meters", 1000), ("kilometers", 1)),
    "length": (("inches", 12), ("feet", 3), ("yards", 1760), ("miles", 1)),
    "metric mass": (("milligrams", 1000), ("grams", 1000), ("kilograms", 1000), ("tonnes", 1)),
    "weight": (("ounces", 16), ("pounds", 2000), ("short tons", 1)),
    "metric volume": (("milliliters", 1000), ("liters", 1)),
    "volume": (("teaspoons", 3), ("tablespoons", 16), ("cups", 2), ("pints", 2), ("quarts", 4), ("gallons", 1)),
}
"""Units of one sort, the smaller first, and how many of each make the next."""


def _units(rng: random.Random) -> Drill:
    names = _SCALES[rng.choice(sorted(_SCALES))]
    low = rng.randrange(len(names) - 1)
    high = min(low + rng.randint(1, 2), len(names) - 1)
    steps, factor = [factor for _, factor in names[low:high]], 1
    for step in steps:
        factor *= step
    small, large = names[low][0], names[high][0]
    product = f"{' * '.join(map(str, steps))} = {factor}" if len(steps) > 1 else str(factor)
    one = {"feet": "foot", "inches": "inch"}.get(large, large.removesuffix("s"))
    is_down = rng.random() < 0.5
    number = (
        Fraction(rng.randint(2, 80), rng.choice((1, 1, 2)))
        if is_down
        else Fraction(rng.randint(2, 40) * factor, rng.choice((1, 1, 2)))
    )
    value = number * factor if is_down else number / factor
    asked, given = (small, large) if is_down else (large, small)
    lines = (
        f"One {one} is {product} {small}.",
        f"{decimal(number)} {'*' if is_down else '/'} {factor} = {decimal(value)}",
    )
    question = f"How many {asked} are {decimal(number)} {given}?"
    return Drill(question, lines, decimal(value), ("units", asked, number, given))


TOPICS: dict[str, Generator] = {
    "linear": _linear,
    "two-sided": _two_sided,
    "proportion": _proportion,
    "system": _system,
    "quadratic": _quadratic,
    "polynomial": _polynomial,
    "sequence": _sequence,
    "fraction-sums": _fraction_sum,
    "fraction-products": _fraction_product,
    "simplify": _simplify,
    "fraction-of": _fraction_of,
    "percent-of": _percent_of,
    "units": _units,
}
