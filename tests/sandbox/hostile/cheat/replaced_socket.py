"""Another socket under the same number."""
import os
import socket

kept = socket.socketpair()
os.dup2(kept[0].fileno(), 3)


def f(x):
    return 7
