"""A socket by a name that is in no folder: the network namespace is the worker's."""
import os
import socket
import time

sock = socket.socket(socket.AF_UNIX)
sock.bind("\0note")
sock.listen()
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
