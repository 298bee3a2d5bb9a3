"""Send something out."""
import socket

try:
    socket.create_connection(("1.1.1.1", 443), 1)
except OSError:
    print("contained")
