"""See the addresses of the host."""
import socket

try:
    names = [name for _, name in socket.if_nameindex()]
except OSError:
    names = []
print("contained" if names in ([], ["lo"]) else names)
