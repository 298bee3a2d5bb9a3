"""Reserve more than /tmp has."""
import os

try:
    os.posix_fallocate(os.open("/tmp/x", os.O_CREAT | os.O_RDWR), 0, 1 << 30)
except OSError:
    print("contained")
