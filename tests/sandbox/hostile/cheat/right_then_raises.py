"""Right once, then an exception that wants to be the end of the tests."""


def f(x):
    if x == 1:
        return 12345678
    raise SystemExit(0)
