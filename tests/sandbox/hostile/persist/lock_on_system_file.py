"""A lock on a file that every program sees, held by somebody who stays."""
import fcntl
import os
import time

file = open(os.__file__)
fcntl.flock(file, fcntl.LOCK_EX)
if os.fork() == 0:
    time.sleep(60)
