"""A listener on loopback."""
import os
import socket
import time

sock = socket.socket()
sock.bind(("127.0.0.1", 4242))
sock.listen()
if os.fork() == 0:
    time.sleep(60)
