"""Close everything there is."""
import os

os.closerange(0, 1024)
