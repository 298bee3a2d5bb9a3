"""A class whose class says it is equal."""


class Meta(type):
    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Equal(metaclass=Meta):
    pass


def f(x):
    return Equal
