"""The same from a device: a shared map of /dev/zero is new memory."""
import mmap
import os

try:
    mmap.mmap(os.open("/dev/zero", os.O_RDWR), 32 << 20)
except OSError:
    print("contained")
