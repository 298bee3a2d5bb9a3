"""A link in /tmp that leads to a file of the host."""
import os

os.symlink("../../../../../../etc/shadow", "/tmp/link")
try:
    open("/tmp/link")
except OSError:
    print("contained")
