"""A list that contains itself."""


def f(x):
    made = []
    made.append(made)
    return made
