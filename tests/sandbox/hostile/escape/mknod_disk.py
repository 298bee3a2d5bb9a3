"""Make a device file of the host's disk."""
import os
import stat

try:
    os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
except OSError:
    print("contained")
