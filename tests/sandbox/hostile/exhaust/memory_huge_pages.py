"""Huge pages, which the host keeps for others and nobody counts as resident."""
import mmap

try:
    mmap.mmap(-1, 2 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
except OSError:
    print("contained")
