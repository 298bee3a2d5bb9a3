"""Die before the question is read."""
import os
import threading

threading.Timer(0.05, os._exit, (0,)).start()
input()
