"""A text that is another one each time it is looked at."""


class Changing(str):
    def __str__(self):
        return "12345678"

    __repr__ = encode = __str__


def f(x):
    return Changing("7")
