"""Pin pid 1, and so every later program, to one processor."""
import os

try:
    os.sched_setaffinity(1, {min(os.sched_getaffinity(0))})
except OSError:
    print("contained")
