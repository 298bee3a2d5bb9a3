"""bpf, perf_event_open and userfaultfd: the usual start of a kernel exploit."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (321, 298, 323), "aarch64": (280, 241, 282)}[os.uname().machine]
seen = [number for number in numbers if libc.syscall(number, 0, bytes(128), 0, 0, 0) != -1 or ctypes.get_errno() != 1]
print(seen or "contained")
