"""The environment of pid 1."""
try:
    print(open("/proc/1/environ", "rb").read())
except OSError:
    print("contained")
