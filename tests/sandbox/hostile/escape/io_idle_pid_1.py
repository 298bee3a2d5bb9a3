"""Give pid 1 the idle class for input and output."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 251, "aarch64": 30}[os.uname().machine]
print("contained" if libc.syscall(number, 1, 1, 3 << 13) == -1 and ctypes.get_errno() == 1 else "out")
