"""Change the standard library that later programs import."""
import json

try:
    open(json.__file__, "a")
except OSError:
    print("contained")
