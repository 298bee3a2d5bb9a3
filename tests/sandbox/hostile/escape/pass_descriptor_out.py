"""Send a descriptor over the streams; they are pipes and files, not sockets."""
import array
import os
import socket

seen = []
for descriptor in range(3):
    try:
        sock = socket.socket(fileno=os.dup(descriptor))
        sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
        seen.append(descriptor)
    except OSError:
        pass
print(seen or "contained")
