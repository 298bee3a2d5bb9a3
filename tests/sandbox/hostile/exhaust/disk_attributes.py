"""Fill memory with extended attributes of a file."""
import os

open("/tmp/x", "w").close()
try:
    for i in range(10**5):
        os.setxattr("/tmp/x", f"user.{i}", bytes(60_000))
except OSError:
    print("contained")
