"""See any process that is not one's own."""
import os

pids = [name for name in os.listdir("/proc") if name.isdigit()]
print("contained" if pids == [str(os.getpid())] else pids)
