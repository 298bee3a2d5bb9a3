"""Die by the signal of the time limit, at once."""
import os
import signal

os.kill(os.getpid(), signal.SIGXCPU)
