"""Have the kernel send a signal of our choice to pid 1, as the owner of a socket."""
import fcntl
import os
import socket

one, other = socket.socketpair()
try:
    fcntl.fcntl(one, fcntl.F_SETOWN, 1)
    fcntl.fcntl(one, 10, 9)  # F_SETSIG, SIGKILL
    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    other.send(b"x" * 1000)
except OSError:
    pass
print("contained")
