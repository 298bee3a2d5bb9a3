"""Processes that do not belong to us any more."""
import os
import time

while True:
    if os.fork() == 0:
        if os.fork() == 0:
            ends = time.process_time() + 0.2
            while time.process_time() < ends:
                pass
        os._exit(0)
    os.wait()
    time.sleep(0.1)
