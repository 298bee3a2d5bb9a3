"""A child in a user namespace of its own."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
print("contained" if libc.syscall(clone, 0x10000011, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1 else "out")
