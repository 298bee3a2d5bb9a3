"""The frames below ours belong to pid 1: walk them and use what they hold."""
import os
import sys

frame, seen = sys._getframe(), []
while frame:
    for name, value in list(frame.f_locals.items()):
        control = getattr(value, "_control", None)
        if control is not None:
            for call in (lambda: control.send(b"E"), lambda: os.write(value._marks, b"."), lambda: os.listdir(value._proc)):
                try:
                    seen.append(call())
                except OSError:
                    pass
    frame = frame.f_back
print(seen or "contained")
