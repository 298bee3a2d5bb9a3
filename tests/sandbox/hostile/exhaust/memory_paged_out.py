"""Memory that is sent to swap at once, where nobody counts it."""
import mmap

kept = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
try:
    kept.madvise(21)  # MADV_PAGEOUT
except OSError:
    print("contained")
