"""Look at the questions as they come in."""
import marshal

real = marshal.loads
marshal.loads = lambda data: real(data)


def f(x):
    return 0
