"""The x32 numbers of the same machine. The process is killed."""
import ctypes
import os

if os.uname().machine == "x86_64":
    print(ctypes.CDLL(None).syscall(0x40000000 | 39))
else:
    os.abort()
