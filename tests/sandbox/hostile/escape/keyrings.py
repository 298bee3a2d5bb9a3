"""Keys of the user id, which jails of one user share."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
add, request, control = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine]
calls = ((add, b"user", b"note", b"42", 2, -4), (request, b"user", b"note", 0, -4), (control, 0, -3, 1))
seen = [call[0] for call in calls if libc.syscall(*call) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
