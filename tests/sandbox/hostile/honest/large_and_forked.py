"""A large list, and children that read it: pages that are shared are no new memory."""
import os
import time

kept = bytearray(b"1") * (60 << 20)
for _ in range(4):
    if os.fork() == 0:
        time.sleep(0.4)
        os._exit(0)
for _ in range(4):
    os.wait()
print("ok")
