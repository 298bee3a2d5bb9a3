"""io_setup: the older interface of the same kind."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 206, "aarch64": 0}[os.uname().machine]
print("contained" if libc.syscall(number, 8, ctypes.byref(ctypes.c_ulong())) == -1 and ctypes.get_errno() == 1 else "out")
