"""Die by a real-time signal, which has no name everywhere."""
import os

os.kill(os.getpid(), 40)
