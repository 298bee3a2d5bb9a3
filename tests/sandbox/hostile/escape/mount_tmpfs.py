"""A file system of one's own, without a size."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1 and ctypes.get_errno() == 1 else "out")
