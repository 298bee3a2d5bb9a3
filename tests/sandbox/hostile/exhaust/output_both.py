"""Both streams in turn, byte by byte."""
import os

while True:
    os.write(1, b"x")
    os.write(2, b"y")
