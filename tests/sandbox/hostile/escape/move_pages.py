"""Move the memory of pid 1 between nodes."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (256, 279), "aarch64": (238, 239)}[os.uname().machine]
seen = [n for n in numbers if libc.syscall(n, 1, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
