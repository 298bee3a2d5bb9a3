"""AF_VSOCK: the hypervisor, which no network namespace hides."""
import socket

try:
    socket.socket(40, socket.SOCK_STREAM)
except OSError:
    print("contained")
