"""The host's interpreter, by the link that leads past every mount: its owner may chmod it."""
import os

try:
    os.chmod("/proc/self/exe", 0o777)
except OSError:
    print("contained")
