"""Set the times of the host's interpreter."""
import os

try:
    os.utime("/proc/self/exe", (1, 1))
except OSError:
    print("contained")
