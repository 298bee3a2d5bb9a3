"""Shared memory, messages and semaphores that outlive their makers."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = [libc.shmget(7, 4096, 0o1666), libc.msgget(7, 0o1666), libc.semget(7, 1, 0o1666)]
print("contained" if seen == [-1, -1, -1] else seen)
