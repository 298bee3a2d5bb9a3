"""Leave with a code that other sandboxes use for their own failure."""
import os

os._exit(111)
