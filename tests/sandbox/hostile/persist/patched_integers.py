"""Change the number 7 for everyone."""
import ctypes

address = id(7) + ctypes.sizeof(ctypes.c_ssize_t) * 3
(ctypes.c_int32 * 1).from_address(address)[0] = 8
