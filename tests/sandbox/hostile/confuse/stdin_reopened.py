"""Read what was not given."""
import sys

print(repr(sys.stdin.read()))
