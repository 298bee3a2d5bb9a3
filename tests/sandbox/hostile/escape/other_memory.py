"""process_vm_readv and writev on pid 1."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
seen = [call for call in (libc.process_vm_readv, libc.process_vm_writev) if call(1, 0, 0, 0, 0, 0) != -1]
print(seen or "contained")
