"""Output that is no text."""
import os

os.write(1, bytes(range(256)))
os.write(2, b"\xff\xfe\n")
