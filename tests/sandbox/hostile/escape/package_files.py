"""The same, by looking at the disk."""
import glob
import sys

seen = []
for root in ("/usr", "/usr/local", sys.base_prefix, sys.prefix):
    for pattern in ("lib*/python*/*-packages/*", "envs/*", "pkgs/*"):
        seen += glob.glob(f"{root}/{pattern}")
print(seen or "contained")
