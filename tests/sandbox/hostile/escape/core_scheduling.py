"""Claim a whole processor core, so that its other thread idles."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.prctl(62, 1, 0, 1, 0) == -1 and ctypes.get_errno() == 1 else "out")
