"""Map root into the own user namespace."""
try:
    open("/proc/self/uid_map", "w").write("0 0 1")
except OSError:
    print("contained")
