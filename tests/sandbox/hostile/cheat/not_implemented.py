"""The value NotImplemented itself, and Ellipsis."""


def f(x):
    return NotImplemented if x == 1 else ...
