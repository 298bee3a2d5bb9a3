"""Always be a process that was born after the last look: fork, and let the parent end."""
import os

while True:
    if os.fork():
        os._exit(0)
