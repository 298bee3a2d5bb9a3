"""A daemon that is stopped, and so does not die of itself."""
import os
import signal

child = os.fork()
if child == 0:
    os.setsid()
    os.kill(os.getpid(), signal.SIGSTOP)
