"""Pipes, select and a non-blocking read."""
import os
import selectors

read, write = os.pipe()
os.set_blocking(read, False)
selector = selectors.DefaultSelector()
selector.register(read, selectors.EVENT_READ)
os.write(write, b"x")
print(len(selector.select(1)), os.read(read, 9))
