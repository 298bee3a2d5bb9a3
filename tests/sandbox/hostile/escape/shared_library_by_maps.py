"""Reach a mapped library by map_files, past the mounts."""
import os

try:
    os.open("/proc/self/map_files/" + os.listdir("/proc/self/map_files")[0], os.O_RDWR)
except OSError:
    print("contained")
