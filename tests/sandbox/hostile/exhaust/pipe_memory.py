"""Larger pipes: their memory has one budget for all jails of a user."""
import fcntl
import os

try:
    fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)  # F_SETPIPE_SZ
except OSError:
    print("contained")
