"""Raise a capability into the ambient set."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.prctl(47, 2, 21, 0, 0) == -1 else "out")  # PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN
