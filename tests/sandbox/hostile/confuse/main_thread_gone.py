"""The main thread ends by the system call, the process goes on."""
import ctypes
import os
import threading
import time

number = {"x86_64": 60, "aarch64": 93}[os.uname().machine]
threading.Thread(target=lambda: (time.sleep(0.3), os._exit(4))).start()
ctypes.CDLL(None).syscall(number, 0)
