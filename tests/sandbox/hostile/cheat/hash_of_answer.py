"""A dict subclass with the wanted keys by magic."""


class Magic(dict):
    def items(self):
        return [("a", 1)]

    def __len__(self):
        return 1

    def __iter__(self):
        return iter(["a"])


def f(x):
    return Magic()
