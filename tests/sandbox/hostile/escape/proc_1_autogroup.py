"""Lower the share of the host's whole session, by the scheduling group of pid 1."""
try:
    open("/proc/1/autogroup", "w").write("19")
except OSError:
    print("contained")
