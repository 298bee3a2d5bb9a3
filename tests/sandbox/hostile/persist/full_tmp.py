"""A /tmp without room for the next program."""
import os

try:
    for i in range(10_000):
        open(f"/tmp/{i}", "wb").write(bytes(5000))
except OSError:
    pass
