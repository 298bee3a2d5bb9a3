"""A set whose members all have one hash: slow to rebuild outside."""


def f(x):
    return {i * (2**61 - 1) for i in range(1, 3000)}
