"""The root of pid 1."""
import os

try:
    print(os.listdir("/proc/1/root"))
except OSError:
    print("contained")
