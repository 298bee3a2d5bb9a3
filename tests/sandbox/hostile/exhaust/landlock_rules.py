"""Rules of a sandbox of one's own, which the kernel keeps in memory that nobody counts."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = [n for n in (444, 445, 446) if libc.syscall(n, None, 0, 1) != -1 or ctypes.get_errno() != 38]
print(seen or "contained")
