"""Remount the system to be written."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.mount(b"none", b"/usr", None, 32 | 4096, None) == -1 and ctypes.get_errno() == 1 else "out")
