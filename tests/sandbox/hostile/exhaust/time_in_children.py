"""Each process is within its limit of time, their sum is not."""
import os
import time

for _ in range(3):
    if os.fork() == 0:
        break
ends = time.process_time() + 0.8
while time.process_time() < ends:
    pass
time.sleep(8)
