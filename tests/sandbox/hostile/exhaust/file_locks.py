"""Locks on a file, byte by byte: nothing counts them but the time."""
import fcntl

with open("/tmp/x", "w") as file:
    for i in range(3000):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * i)
print("contained")
