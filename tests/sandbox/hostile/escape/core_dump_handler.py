"""Have the host's crash handler, which runs as root, look at a process of ours."""
import os
import resource

before = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if os.fork() == 0:
    os.abort()
os.wait()
print("contained" if resource.getrlimit(resource.RLIMIT_CORE) == before and before[1] <= 1 else before)
