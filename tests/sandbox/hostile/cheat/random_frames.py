"""Frames of noise."""
import os
import random

random.seed(1)
for _ in range(100):
    body = random.randbytes(random.randrange(1, 200))
    os.write(3, len(body).to_bytes(4, "little") + body)
os._exit(0)
