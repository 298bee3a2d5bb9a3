"""Descriptors that were left open."""
import os

seen = []
for descriptor in range(3, 1024):
    try:
        seen.append((descriptor, os.readlink(f"/proc/self/fd/{descriptor}")))
    except OSError:
        pass
print(seen or "contained")
