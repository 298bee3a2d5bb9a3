"""Save oneself from the kernel's choice when memory is short."""
try:
    open("/proc/self/oom_score_adj", "w").write("0")
except OSError:
    print("contained")
