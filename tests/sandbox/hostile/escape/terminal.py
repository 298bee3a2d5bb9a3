"""Find a terminal to type into."""
import os

seen = []
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ptmx", "/dev/pts/0", "/dev/pts/ptmx"):
    try:
        seen.append(os.open(path, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        pass
print(seen or "contained")
