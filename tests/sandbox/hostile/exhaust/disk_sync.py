"""Make the whole machine write its disks, again and again."""
import os
import time

started = time.monotonic()
for _ in range(2000):
    os.sync()
print("contained" if time.monotonic() - started < 1 else "out")
