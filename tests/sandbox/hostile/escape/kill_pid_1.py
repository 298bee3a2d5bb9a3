"""Kill or stop pid 1 with every signal there is."""
import os
import signal

for number in range(1, signal.NSIG):
    for pid in (1, -1):
        if number not in (signal.SIGSTOP,) or pid == 1:
            signal.signal(number, signal.SIG_IGN) if number not in (9, 19, 32, 33) else None
            try:
                os.kill(pid, number)
            except OSError:
                pass
print("contained")
