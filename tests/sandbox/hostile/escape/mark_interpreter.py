"""Leave an extended attribute on the host's interpreter."""
import os

try:
    os.setxattr("/proc/self/exe", "user.hostile", b"1")
except OSError:
    print("contained")
