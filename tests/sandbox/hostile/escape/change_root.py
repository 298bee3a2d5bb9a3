"""chroot and a way back."""
import os

try:
    os.chroot("/tmp")
except OSError:
    print("contained")
