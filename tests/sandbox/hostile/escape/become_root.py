"""Become root by asking."""
import os

seen = []
for call in (os.setuid, os.seteuid, os.setgid, os.setegid):
    try:
        call(0)
        seen.append(call)
    except OSError:
        pass
print(seen or "contained")
