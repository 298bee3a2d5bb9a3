"""Another root."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
print("contained" if libc.syscall(number, b".", b".") == -1 and ctypes.get_errno() == 1 else "out")
