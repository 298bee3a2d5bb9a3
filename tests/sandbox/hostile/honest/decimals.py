"""Decimal numbers, fractions and large integers."""
import decimal
import fractions
import math

decimal.getcontext().prec = 30
print(decimal.Decimal(1) / 7, fractions.Fraction(1, 3) + fractions.Fraction(1, 6), math.factorial(30))
