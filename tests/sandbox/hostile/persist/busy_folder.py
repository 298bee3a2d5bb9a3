"""Somebody stands in /tmp and has files of it open and mapped, so that it cannot be taken away."""
import mmap
import os
import time

os.makedirs("/tmp/a/b")
file = open("/tmp/a/b/c", "w+b")
file.write(bytes(4096))
file.flush()
pages = mmap.mmap(file.fileno(), 4096)
os.chdir("/tmp/a/b")
if os.fork() == 0:
    time.sleep(60)
