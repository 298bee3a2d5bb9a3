"""Wait until the time is over: a clock inside might call that success."""
import time


def f(x):
    time.sleep(60)
