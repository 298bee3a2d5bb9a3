"""Give pid 1 the idle scheduling class."""
import os

try:
    os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
except OSError:
    print("contained")
