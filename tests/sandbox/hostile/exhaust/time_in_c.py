"""A loop inside the interpreter's own code, where no signal handler of Python's runs."""
import itertools
import collections

collections.deque(itertools.repeat(1), 0)
