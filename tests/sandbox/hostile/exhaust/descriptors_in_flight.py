"""Descriptors parked in a socket, which no process's limit counts."""
import array
import socket

one, other = socket.socketpair()
one.setblocking(False)
try:
    for _ in range(10_000):
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))])
except OSError:
    print("contained")
