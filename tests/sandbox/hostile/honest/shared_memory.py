"""Memory that two processes share."""
import os
from multiprocessing import shared_memory

block = shared_memory.SharedMemory(create=True, size=16)
if os.fork() == 0:
    block.buf[0] = 42
    os._exit(0)
os.wait()
print(block.buf[0])
block.close()
block.unlink()
