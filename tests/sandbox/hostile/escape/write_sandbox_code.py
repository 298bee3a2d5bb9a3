"""Change the sandbox's own code, as it is seen inside."""
import sys

try:
    open(sys.modules["sandbox"].__file__, "a")
except OSError:
    print("contained")
