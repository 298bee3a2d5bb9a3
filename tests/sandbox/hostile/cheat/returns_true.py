"""True for every question: `assert f(1)` would hold."""


def f(x):
    return True
