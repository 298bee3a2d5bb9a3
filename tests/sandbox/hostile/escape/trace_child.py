"""Attach to an own child: a tracer can undo a filter's answers."""
import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    time.sleep(1)
    os._exit(0)
print("contained" if libc.ptrace(0x4206, child, 0, 0) == -1 and ctypes.get_errno() == 1 else "out", flush=True)
