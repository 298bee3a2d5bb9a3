"""The control socket, through the descriptors of pid 1."""
import os

try:
    print(os.listdir("/proc/1/fd"))
except OSError:
    print("contained")
