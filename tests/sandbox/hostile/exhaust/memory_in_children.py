"""Each process is within the limit, their sum is not."""
import os
import time

os.fork()
os.fork()
kept = bytearray(b"1" * (60 << 20))
time.sleep(4)
