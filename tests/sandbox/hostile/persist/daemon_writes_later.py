"""A daemon that prints into whatever comes next."""
import os
import time

if os.fork() == 0:
    time.sleep(0.05)
    while True:
        os.write(1, b"late\n")
        time.sleep(0.01)
