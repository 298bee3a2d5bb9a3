"""System calls that are newer than the filter."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = [n for n in range(457, 600) if libc.syscall(n, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 38]
print(seen or "contained")
