"""An answer of a gigabyte."""


def f(x):
    return ["x" * 10**6] * 1000
