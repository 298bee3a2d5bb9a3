"""Renice pid 1: every later program would inherit it."""
import os

try:
    os.setpriority(os.PRIO_PROCESS, 1, 19)
except OSError:
    print("contained")
