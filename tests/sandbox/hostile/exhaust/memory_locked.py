"""Memory that cannot be swapped out."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.mlockall(3) == -1 and libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20) == -1 else "out")
