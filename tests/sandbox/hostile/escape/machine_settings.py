"""Reboot, swap, accounting, quotas, kernel log, clock, host name."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {
    "x86_64": (169, 167, 168, 163, 179, 103, 164, 227, 305, 159, 170, 171, 153),
    "aarch64": (142, 224, 225, 89, 60, 116, 170, 112, 266, 171, 161, 162, 58),
}[os.uname().machine]
seen = [n for n in numbers if libc.syscall(n, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
