"""A thread ends the process while the main one computes."""
import os
import threading

threading.Timer(0.05, os._exit, (5,)).start()
while True:
    pass
