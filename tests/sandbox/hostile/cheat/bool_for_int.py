"""True for 1 and False for 0 and nothing in between."""


def f(x):
    return x == 1
