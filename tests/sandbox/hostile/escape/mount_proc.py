"""A /proc with everything in it."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
os.mkdir("/tmp/p")
print("contained" if libc.mount(b"proc", b"/tmp/p", b"proc", 0, None) == -1 and ctypes.get_errno() == 1 else "out")
