"""A program that makes itself nicer."""
import os

before = os.getpriority(os.PRIO_PROCESS, 0)
os.nice(1)
os.sched_setaffinity(0, os.sched_getaffinity(0))
print(os.getpriority(os.PRIO_PROCESS, 0) == min(19, before + 1))
