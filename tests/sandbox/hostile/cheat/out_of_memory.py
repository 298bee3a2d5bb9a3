"""Have memory run out at the first question."""


def f(x):
    return bytearray(1 << 40)
