"""Break what the end of a program uses."""
import atexit
import sys
import threading

del sys.stdout, sys.stderr
threading._shutdown = atexit._run_exitfuncs = None
1 / 0
