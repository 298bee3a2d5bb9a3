"""A POSIX message queue, which outlives its maker."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 240, "aarch64": 180}[os.uname().machine]
print("contained" if libc.syscall(number, b"note", 0o102, 0o600, None) == -1 and ctypes.get_errno() == 1 else "out")
