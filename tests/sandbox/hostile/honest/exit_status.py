"""Leave with success, on purpose."""
import sys

print("bye")
sys.exit(0)
