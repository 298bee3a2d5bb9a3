"""A file of a terabyte with nothing in it."""
import os

try:
    os.truncate(os.open("/tmp/x", os.O_CREAT | os.O_RDWR), 1 << 40)
except OSError:
    print("contained")
