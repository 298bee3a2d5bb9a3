"""Join the groups of the host: disk, docker."""
import os

try:
    os.setgroups([6, 999])
except OSError:
    print("contained")
