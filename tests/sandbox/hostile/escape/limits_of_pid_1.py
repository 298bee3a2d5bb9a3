"""Lower the limits of pid 1, so that the next program cannot be set up."""
import resource

try:
    resource.prlimit(1, resource.RLIMIT_NPROC, (1, 1))
except OSError:
    print("contained")
