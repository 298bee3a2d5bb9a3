"""What was given, and hope."""


def f(x):
    return x
