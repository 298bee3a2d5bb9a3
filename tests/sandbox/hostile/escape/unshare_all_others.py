"""Any other namespace."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
flags = (0x20000, 0x80, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000)
print("contained" if all(libc.unshare(flag) == -1 for flag in flags) else "out")
