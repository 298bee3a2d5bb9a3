"""Protocols that would make the kernel load a module: sctp, dccp, udplite, mptcp, l2tp, icmp."""
import socket

seen = []
for protocol in (1, 33, 58, 115, 132, 136, 262):
    for kind in (1, 2, 3, 5, 6):
        try:
            socket.socket(socket.AF_INET, kind, protocol)
            seen.append((kind, protocol))
        except OSError:
            pass
print(seen or "contained")
