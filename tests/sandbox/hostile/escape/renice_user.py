"""Renice every process of the user, pid 1 among them."""
import os

try:
    os.setpriority(os.PRIO_USER, 0, 19)
except OSError:
    print("contained")
