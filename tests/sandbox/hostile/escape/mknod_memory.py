"""Make a device file of the machine's memory."""
import os
import stat

try:
    os.mknod("/tmp/mem", 0o600 | stat.S_IFCHR, os.makedev(1, 1))
except OSError:
    print("contained")
