"""Timers without end."""
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
made = 0
while made < 10**5 and libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())) == 0:
    made += 1
print("contained" if made <= 1024 else made)
