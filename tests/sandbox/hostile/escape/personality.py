"""Turn address randomisation off, or look like another system."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print("contained" if libc.personality(0x0040000) == -1 and ctypes.get_errno() == 1 else "out")
