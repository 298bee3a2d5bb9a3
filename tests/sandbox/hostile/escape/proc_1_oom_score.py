"""Have pid 1 killed first when memory is short."""
try:
    open("/proc/1/oom_score_adj", "w").write("1000")
except OSError:
    print("contained")
