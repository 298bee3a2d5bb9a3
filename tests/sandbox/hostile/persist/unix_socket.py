"""A socket by name, and somebody who listens."""
import os
import socket
import time

sock = socket.socket(socket.AF_UNIX)
sock.bind("/tmp/note")
sock.listen()
if os.fork() == 0:
    time.sleep(60)
