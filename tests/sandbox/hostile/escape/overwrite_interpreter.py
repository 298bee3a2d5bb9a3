"""Keep the interpreter's file, become something else, and write to it then."""
import os

kept = os.open("/proc/self/exe", os.O_PATH)
if os.fork() == 0:
    os.set_inheritable(kept, True)
    os.execv("/bin/sh", ["sh", "-c", f"(echo >> /proc/self/fd/{kept}) 2>/tmp/why && echo out; echo contained"])
os.wait()
