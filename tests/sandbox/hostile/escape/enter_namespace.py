"""Enter a namespace by its file."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
seen = []
for name in os.listdir("/proc/self/ns"):
    if libc.setns(os.open(f"/proc/self/ns/{name}", os.O_RDONLY), 0) == 0:
        seen.append(name)
print(seen or "contained")
