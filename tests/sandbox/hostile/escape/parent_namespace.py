"""NS_GET_PARENT and NS_GET_USERNS: the namespaces of pid 1, by ioctl."""
import fcntl
import os

seen = []
for name in os.listdir("/proc/self/ns"):
    descriptor = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
    try:
        parent = fcntl.ioctl(descriptor, 0xB702)
        seen.append(os.readlink(f"/proc/self/fd/{parent}"))
    except OSError:
        pass
print(seen or "contained")
