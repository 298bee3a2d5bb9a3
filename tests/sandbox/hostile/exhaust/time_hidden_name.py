"""A name for the process that breaks a careless reader of /proc."""
import ctypes

ctypes.CDLL(None).prctl(15, b"x) R 1 1 1 0 0", 0, 0, 0)
import os

if os.fork() == 0:
    while True:
        pass
if os.fork() == 0:
    while True:
        pass
os.wait()
