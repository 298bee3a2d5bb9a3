"""A range with every number in it."""


def f(x):
    return range(10**9)
