"""Change all that a process hands to its children."""
import locale
import os
import random
import resource
import signal
import sys

os.umask(0o777)
os.chdir("/")
os.environ["PATH"] = "/tmp"
os.nice(19)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
random.seed(1)
sys.setrecursionlimit(100)
sys.path.insert(0, "/tmp")
locale.setlocale(locale.LC_ALL, "C")
