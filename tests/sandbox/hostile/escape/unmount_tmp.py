"""Take the own /tmp away and see what is under it."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.umount2(b"/tmp", 2) == -1 and ctypes.get_errno() == 1 else "out")
