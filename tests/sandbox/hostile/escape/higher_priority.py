"""A priority above that of everyone else."""
import os

try:
    os.nice(-5)
except OSError:
    print("contained")
