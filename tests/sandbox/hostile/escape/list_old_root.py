"""The old root, where pivot_root put it."""
import os

try:
    print(os.listdir("/old"))
except OSError:
    print("contained")
