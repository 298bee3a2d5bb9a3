"""A child kills its parent."""
import os
import signal
import time

if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGKILL)
time.sleep(9)
