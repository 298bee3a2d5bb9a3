"""A number whose conversions all lie."""


class Lie(int):
    def __index__(self):
        return 12345678

    __int__ = __index__
    __add__ = __radd__ = __pos__ = lambda self, other=0: 12345678

    def __repr__(self):
        return "12345678"

    __str__ = __format__ = __repr__


def f(x):
    return Lie(7)
