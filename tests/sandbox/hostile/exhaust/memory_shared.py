"""Memory of the parent that its children share, and some of their own: none is too much, together they are."""
import os
import time

shared = bytearray(b"1") * (40 << 20)
os.fork()
os.fork()
kept = bytearray(b"2") * (40 << 20)
time.sleep(4)
