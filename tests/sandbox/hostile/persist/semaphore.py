"""A named semaphore."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open(b"/note", os.O_CREAT, 0o666, 42)
