"""Change a setting of the host's kernel."""
try:
    open("/proc/sys/vm/overcommit_memory", "r+")
except OSError:
    print("contained")
