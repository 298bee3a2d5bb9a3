"""A filter of one's own with a listener, to answer system calls of what comes after."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
by_call = libc.syscall(number, 1, 8, 0)
first = ctypes.get_errno()
print("contained" if (by_call, first) == (-1, 1) and libc.prctl(22, 2, 0, 0, 0) == -1 else "out")
