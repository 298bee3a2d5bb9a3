"""A pipe by name."""
import os

os.mkfifo("/tmp/note")
os.mkfifo("/dev/shm/other")
