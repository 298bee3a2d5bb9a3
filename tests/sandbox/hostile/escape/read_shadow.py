"""Read the host's passwords."""
try:
    open("/etc/shadow")
except OSError:
    print("contained")
