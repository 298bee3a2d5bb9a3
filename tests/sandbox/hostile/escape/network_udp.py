"""Send something out by a datagram."""
import socket

try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", ("1.1.1.1", 53))
except OSError:
    print("contained")
