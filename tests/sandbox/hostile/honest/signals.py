"""A handler and a timer."""
import signal
import time

seen = []
signal.signal(signal.SIGALRM, lambda *a: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02)
time.sleep(0.2)
print(seen)
