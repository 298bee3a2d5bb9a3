"""Signals that wait in the kernel."""
import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
sent = 0
while sent < 10**5 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), ctypes.c_void_p()) == 0:
    sent += 1
print("contained" if sent <= 1024 else sent)
