"""Crash the machine."""
try:
    open("/proc/sysrq-trigger", "w")
except OSError:
    print("contained")
