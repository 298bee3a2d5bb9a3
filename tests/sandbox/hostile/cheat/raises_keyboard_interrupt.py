"""What a person's Ctrl-C raises."""


def f(x):
    raise KeyboardInterrupt
