"""A daemon that is always a new process."""
import os
import time

if os.fork() == 0:
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.002)
