"""Input and output ports, and segments of one's own."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (172, 173, 154), "aarch64": ()}[os.uname().machine]
seen = [n for n in numbers if libc.syscall(n, 3, 0, 0) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
