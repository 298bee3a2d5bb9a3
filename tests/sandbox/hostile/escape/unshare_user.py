"""A user namespace of one's own, in which one is root."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.unshare(0x10000000) == -1 and ctypes.get_errno() == 1 else "out")
