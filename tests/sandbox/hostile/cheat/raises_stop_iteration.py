"""What ends a loop of whoever calls us."""


def f(x):
    raise StopIteration(12345678)
