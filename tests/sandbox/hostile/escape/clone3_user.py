"""The same by clone3, whose flags a filter cannot see."""
import ctypes
import struct

libc = ctypes.CDLL(None, use_errno=True)
arguments = struct.pack("<11Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
print("contained" if libc.syscall(435, arguments, len(arguments)) == -1 and ctypes.get_errno() == 38 else "out")
