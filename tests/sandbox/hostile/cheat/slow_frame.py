"""A frame that comes byte by byte, so that no read takes long."""
import os
import time

os.write(3, b"\xff\0\0\0")
while True:
    os.write(3, b"x")
    time.sleep(0.05)
