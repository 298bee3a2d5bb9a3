"""A class with the name of a known one, whose text is our own."""


class Decimal:
    __module__ = "decimal"

    def __str__(self):
        return "NaN"

    def __eq__(self, other):
        return True


def f(x):
    return Decimal()
