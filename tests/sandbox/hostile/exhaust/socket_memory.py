"""Fill the buffers of as many sockets as there can be."""
import socket

kept = []
try:
    while True:
        pair = socket.socketpair()
        kept.append(pair)
        pair[0].setblocking(False)
        try:
            while True:
                pair[0].send(bytes(65536))
        except BlockingIOError:
            pass
except OSError:
    print("contained" if len(kept) < 40 else len(kept))
