"""Ask a name server; a name can carry a secret."""
import socket

try:
    socket.getaddrinfo("secret.example.com", 80)
except OSError:
    print("contained")
