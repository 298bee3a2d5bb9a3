"""Shared memory by name, which is a file."""
from multiprocessing import shared_memory

kept = shared_memory.SharedMemory(create=True, size=64 << 20)
kept.buf[:] = bytes(64 << 20)
