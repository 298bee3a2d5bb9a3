"""Children that nobody waits for fill the process table."""
import os

for _ in range(100):
    if os.fork() == 0:
        os._exit(0)
