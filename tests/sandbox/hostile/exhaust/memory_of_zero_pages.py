"""Terabytes that are only read: no page of them is resident, the tables that lead to them are."""
import mmap

try:
    kept = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
    for at in range(0, 1 << 40, 2 << 20):
        kept[at]
except (OSError, MemoryError):
    print("contained")
