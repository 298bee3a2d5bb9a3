"""inotify and fanotify: budgets that the user id shares with the host."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (253, 294, 300), "aarch64": (26, 262)}[os.uname().machine]
seen = [n for n in numbers if libc.syscall(n, 0, 0) != -1 or ctypes.get_errno() not in (1, 38)]
print(seen or "contained")
