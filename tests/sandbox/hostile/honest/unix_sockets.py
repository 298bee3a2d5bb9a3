"""A server and a client by a socket in /tmp."""
import socket
import threading

server = socket.socket(socket.AF_UNIX)
server.bind("/tmp/s")
server.listen()
threading.Thread(target=lambda: server.accept()[0].sendall(b"hello")).start()
client = socket.socket(socket.AF_UNIX)
client.connect("/tmp/s")
print(client.recv(5).decode())
