"""memfd_create and memfd_secret: memory that no limit counts."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 319, "aarch64": 279}[os.uname().machine]
seen = [n for n in (number, 447) if libc.syscall(n, b"x", 0) != -1 or ctypes.get_errno() not in (1, 38)]
print(seen or "contained")
