"""More processes than are allowed."""
import os
import time

for _ in range(100):
    if os.fork() == 0:
        time.sleep(9)
