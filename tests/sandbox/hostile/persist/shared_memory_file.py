"""Shared memory by name."""
from multiprocessing import resource_tracker, shared_memory

resource_tracker.register = lambda *a: None
kept = shared_memory.SharedMemory("note", create=True, size=4096)
kept.buf[:2] = b"42"
