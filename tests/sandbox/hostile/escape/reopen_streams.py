"""Reopen the streams with more rights than they were given."""
import os

seen = []
for descriptor, flags in ((0, os.O_RDWR | os.O_TRUNC), (0, os.O_WRONLY)):
    if os.readlink(f"/proc/self/fd/{descriptor}").startswith("/memfd"):
        try:
            os.write(os.open(f"/proc/self/fd/{descriptor}", flags), b"x")
            seen.append(flags)
        except OSError:
            pass
print(seen or "contained")
