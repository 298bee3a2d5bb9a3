"""The same with buffers as large as the machine allows."""
import socket

kept, total = [], 0
try:
    while True:
        pair = socket.socketpair()
        kept.append(pair)
        pair[0].setblocking(False)
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 26)
        pair[1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
        try:
            while True:
                total += pair[0].send(bytes(65536))
        except BlockingIOError:
            pass
except OSError:
    print("contained" if total < 16 << 20 else total)
