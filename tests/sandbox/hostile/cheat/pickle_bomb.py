"""An object that computes when it is unpickled."""


class Bomb:
    def __reduce__(self):
        return (eval, ("12345678",))


def f(x):
    return Bomb()
