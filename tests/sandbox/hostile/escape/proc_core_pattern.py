"""Name a program that the kernel runs, as root, at the next crash."""
try:
    open("/proc/sys/kernel/core_pattern", "r+")
except OSError:
    print("contained")
