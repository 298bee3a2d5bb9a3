"""Attach to pid 1 as a debugger."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.ptrace(16, 1, 0, 0) == -1 and ctypes.get_errno() == 1 else "out")
