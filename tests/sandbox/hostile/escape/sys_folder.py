"""Read the machine's devices."""
import os

try:
    print(os.listdir("/sys"))
except OSError:
    print("contained")
