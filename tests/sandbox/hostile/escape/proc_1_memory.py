"""The memory of pid 1."""
try:
    open("/proc/1/mem", "rb")
except OSError:
    print("contained")
