"""Empty the host's interpreter."""
import os

try:
    os.truncate("/proc/self/exe", 0)
except OSError:
    print("contained")
