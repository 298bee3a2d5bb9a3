"""TIOCSTI: put a character into the input of whoever started us."""
import fcntl

seen = []
for descriptor in range(3):
    for request in (0x5412, 0x541C):
        try:
            fcntl.ioctl(descriptor, request, b"x")
            seen.append(descriptor)
        except PermissionError:
            pass
print(seen or "contained")
