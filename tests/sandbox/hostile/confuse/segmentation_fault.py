"""A bad address."""
import ctypes

ctypes.string_at(0)
