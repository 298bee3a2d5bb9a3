"""clone without a signal at its end: a plain wait does not see it."""
import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
if libc.syscall(number, 0, 0, 0, 0, 0) == 0:
    time.sleep(60)
