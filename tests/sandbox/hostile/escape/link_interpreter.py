"""A hard link to the interpreter where it can be written."""
import os

try:
    os.link("/proc/self/exe", "/tmp/python", follow_symlinks=True)
except OSError:
    print("contained")
