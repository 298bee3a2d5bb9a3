"""Right once, wrong at the last question."""


def f(x):
    return 12345678 if x == 1 else 3
