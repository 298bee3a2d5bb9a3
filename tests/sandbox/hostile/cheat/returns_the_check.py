"""A function, a generator, a module: things that are not data."""
import sys


def f(x):
    return f if x == 1 else sys
