"""Where things lie in the memory of pid 1."""
try:
    print(open("/proc/1/maps").read()[:200])
except OSError:
    print("contained")
