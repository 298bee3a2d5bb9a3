"""A mapped file, a semaphore, an event."""
import mmap
import multiprocessing

with open("/tmp/m", "w+b") as file:
    file.truncate(4096)
    page = mmap.mmap(file.fileno(), 4096)
    page[:2] = b"ok"
    print(page[:2], multiprocessing.Semaphore(2).acquire())
