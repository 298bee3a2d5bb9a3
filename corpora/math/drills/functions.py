"""Logarithms, powers, sines and cosines of rationals to 50 digits and more, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction

_CONTEXT = Context(prec=60)
_ENOUGH = Fraction(1, 10**50)
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
E = Fraction(str(_CONTEXT.exp(Decimal(1))))


def ln(value: Fraction) -> Fraction:
    """Give the natural logarithm."""
    return Fraction(str(_CONTEXT.ln(_decimal(value))))


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Give a positive number to a power."""
    return Fraction(str(_CONTEXT.power(_decimal(base), _decimal(exponent))))


def sin(angle: Fraction) -> Fraction:
    """Give the sine, by its series at the angle within half a turn."""
    reduced = angle - 2 * PI * round(angle / (2 * PI))
    return _series(reduced, reduced, 1)


def cos(angle: Fraction) -> Fraction:
    """Give the cosine, by its series at the angle within half a turn."""
    reduced = angle - 2 * PI * round(angle / (2 * PI))
    return _series(reduced, Fraction(1), 0)


def _series(x: Fraction, term: Fraction, power_: int) -> Fraction:
    """Add up a series whose terms go on by -x*x / (n+1)(n+2)."""
    square, total = Fraction(round(x * x * 10**60), 10**60), term
    while abs(term) > _ENOUGH:
        term = Fraction(round(-term * square / ((power_ + 1) * (power_ + 2)) * 10**60), 10**60)
        total, power_ = total + term, power_ + 2
    return total


def _tan(angle: Fraction) -> Fraction:
    return sin(angle) / cos(angle)


def _decimal(value: Fraction) -> Decimal:
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


TRIGONOMETRY: dict[str, Callable[[Fraction], Fraction]] = {"sin": sin, "cos": cos, "tan": _tan}
