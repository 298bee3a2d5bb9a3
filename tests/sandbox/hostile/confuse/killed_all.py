"""Kill all that can be seen."""
import os
import signal

os.kill(-1, signal.SIGKILL)
os.kill(1, signal.SIGKILL)
raise SystemExit(3)
