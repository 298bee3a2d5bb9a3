"""Memory without a file that a child shares, as in the documentation of mmap."""
import mmap
import os

shared = mmap.mmap(-1, 13)
own = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared.write(b"hello world!")
if os.fork() == 0:
    shared.seek(0)
    shared.write(b"J")
    own[:1] = b"x"
    os._exit(0)
os.wait()
print(shared[:5], own[:1], isinstance(shared, mmap.mmap), len(shared))
