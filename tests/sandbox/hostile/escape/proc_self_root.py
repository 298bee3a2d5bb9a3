"""The root of the own process, as /proc shows it."""
import os

print("contained" if "home" not in os.listdir("/proc/self/root") and "sys" not in os.listdir("/proc/self/root") else "out")
