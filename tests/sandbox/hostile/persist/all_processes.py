"""All processes taken, all of them asleep."""
import os
import time

try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
except OSError:
    pass
