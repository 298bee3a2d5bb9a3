"""Fork in the last moment, again and again, so that the last kill misses one."""
import os

print("done", flush=True)
while True:
    if os.fork():
        os._exit(0)
    if os.getpid() > 60_000:
        break
