"""io_uring: system calls that no filter sees."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
parameters = ctypes.create_string_buffer(120)
print("contained" if libc.syscall(425, 8, parameters) == -1 and ctypes.get_errno() == 38 else "out")
