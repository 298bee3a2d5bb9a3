"""A process that others may not look into is counted too."""
import ctypes
import os
import time

ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
os.fork()
os.fork()
kept = bytearray(b"1" * (60 << 20))
time.sleep(4)
