"""Print the words of a memory error and leave."""
import sys

sys.stderr.write("MemoryError\n")
sys.exit(1)
