"""An answer whose encoding never ends."""


class Endless(list):
    def __iter__(self):
        while True:
            yield 7


def f(x):
    return Endless([1])
