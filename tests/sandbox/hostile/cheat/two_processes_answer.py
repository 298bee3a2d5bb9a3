"""Parent and child both answer every question."""
import os

os.fork()


def f(x):
    return x
