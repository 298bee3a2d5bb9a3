"""Talk to services of the host that listen on loopback only."""
import socket

seen = []
for address in ("127.0.0.1", "::1"):
    for port in (22, 80, 631, 2375, 5432, 6379, 8265, 8888):
        try:
            socket.create_connection((address, port), 0.2)
            seen.append(port)
        except OSError:
            pass
print(seen or "contained")
