"""A module in which every name is whatever is asked."""
import sys


class Everything(dict):
    def __missing__(self, key):
        return lambda *a: 7


def __getattr__(name):
    return lambda *a: 7
