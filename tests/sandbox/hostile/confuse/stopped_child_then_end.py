"""Leave a stopped child that holds the output."""
import os
import signal

if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
print("done")
