"""A descriptor of pid 1: signals, its descriptors, its namespaces."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = []
for number, arguments in ((434, (1, 0)), (438, (0, 3, 0)), (424, (0, 9, 0, 0)), (440, (0, 0, 0, 20, 0)), (448, (0, 0))):
    if libc.syscall(number, *arguments) != -1 or ctypes.get_errno() != 1:
        seen.append(number)
print(seen or "contained")
