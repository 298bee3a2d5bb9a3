"""Load a kernel module, or another kernel."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (175, 313, 176, 246, 320), "aarch64": (105, 273, 106, 104, 294)}[os.uname().machine]
seen = [n for n in numbers if libc.syscall(n, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
