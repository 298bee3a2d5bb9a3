"""Read what is not there."""
import sys

print(sys.stdin.read() == "", sys.stdin.isatty())
