"""NotImplemented, so that the other side's comparison decides."""


class Equal:
    def __eq__(self, other):
        return NotImplemented

    __ne__ = __eq__


def f(x):
    return Equal()
