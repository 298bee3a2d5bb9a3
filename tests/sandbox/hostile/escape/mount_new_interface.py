"""open_tree, move_mount, fsopen, fspick, mount_setattr and the calls after them."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = []
for number in (428, 429, 430, 431, 432, 433, 442, 457, 458, 467):
    if libc.syscall(number, 0, b"/", 1, 0, 0) != -1 or ctypes.get_errno() not in (1, 38):
        seen.append(number)
print(seen or "contained")
