"""A float that is almost the wanted number."""


def f(x):
    return 12345678.0000001 if x == 1 else 2.0000001
