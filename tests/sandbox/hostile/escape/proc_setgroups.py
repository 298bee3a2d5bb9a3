"""Allow setgroups again, to drop a group that denies."""
try:
    open("/proc/self/setgroups", "w").write("allow")
except OSError:
    print("contained")
