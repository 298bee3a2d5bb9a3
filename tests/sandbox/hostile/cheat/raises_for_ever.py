"""An exception with a very long text and a long chain."""


def f(x):
    error = None
    for i in range(100):
        new = ValueError("x" * 10**5)
        new.__cause__ = error
        error = new
    raise error
