"""vmsplice: lend pages to a pipe and change them while the reader looks."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 278, "aarch64": 75}[os.uname().machine]
print("contained" if libc.syscall(number, 1, 0, 0, 0) == -1 and ctypes.get_errno() == 1 else "out")
