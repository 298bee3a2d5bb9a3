"""cachestat: see which files other programs read."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.syscall(451, 0, bytes(16), bytes(64), 0) == -1 and ctypes.get_errno() == 38 else "out")
