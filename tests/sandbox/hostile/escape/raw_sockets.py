"""Raw packets."""
import socket

seen = []
for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (0, 6, 17, 255):
        try:
            socket.socket(family, socket.SOCK_RAW, protocol)
            seen.append(protocol)
        except OSError:
            pass
print(seen or "contained")
