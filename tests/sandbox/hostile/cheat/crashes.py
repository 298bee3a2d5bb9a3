"""Crash the interpreter at the first question."""
import ctypes


def f(x):
    ctypes.string_at(0)
