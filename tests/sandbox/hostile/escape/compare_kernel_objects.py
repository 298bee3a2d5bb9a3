"""kcmp: learn where the kernel keeps things."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 312, "aarch64": 272}[os.uname().machine]
print("contained" if libc.syscall(number, 1, os.getpid(), 0, 3, 3) == -1 and ctypes.get_errno() == 1 else "out")
