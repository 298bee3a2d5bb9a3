"""clone with CLONE_PARENT: a brother, not a child."""
import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
if libc.syscall(number, 0x8000 | 17, 0, 0, 0, 0) == 0:
    time.sleep(60)
