"""Terabytes of address space, for the page tables."""
import mmap

try:
    mmap.mmap(-1, 1 << 44)
except (OSError, ValueError, MemoryError):
    print("contained")
