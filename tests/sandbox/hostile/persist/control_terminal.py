"""Become leader of sessions and groups."""
import os

if os.fork() == 0:
    os.setsid()
    os.setpgid(0, 0)
    os._exit(0)
os.wait()
