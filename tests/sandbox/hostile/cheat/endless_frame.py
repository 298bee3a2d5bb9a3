"""A frame of four gigabytes."""
import os

os.write(3, b"\xff\xff\xff\xff")
while True:
    os.write(3, b"x" * 65536)
