"""Every other family of sockets: netlink, packets, kernel crypto, bluetooth, tipc, ..."""
import socket

seen = []
for family in range(3, 64):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind, 0)
            seen.append(family)
        except OSError:
            pass
print("contained" if set(seen) <= {socket.AF_INET6} else seen)
