"""Die as if the machine had killed us."""
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
