"""A function of the C library."""
import ctypes

print(ctypes.CDLL(None).abs(-5), ctypes.sizeof(ctypes.c_void_p))
