"""A decimal number that is short to write and long to make an integer of."""
import decimal


def f(x):
    return decimal.Decimal("1e999999")
