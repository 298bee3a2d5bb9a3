"""A program that asks for larger buffers gets none, and no error."""
import socket

one, other = socket.socketpair()
one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
one.sendall(b"x" * 1000)
print(len(other.recv(2000)), open("/dev/zero", "rb").read(2))
