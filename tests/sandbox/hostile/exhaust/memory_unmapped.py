"""Shared memory of no file, filled and unmapped but for one page: it stays, and no process has it."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
seen = [libc.mmap(None, 32 << 20, 3, flags, -1, 0) for flags in (0x21, 0x23)]  # MAP_SHARED, MAP_SHARED_VALIDATE
print("contained" if set(seen) == {ctypes.c_void_p(-1).value} else "out")
