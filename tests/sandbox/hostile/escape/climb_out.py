"""Up, and up, and up."""
import os

os.chdir("/")
for _ in range(50):
    os.chdir("..")
print("contained" if not os.path.exists("etc/shadow") and not os.path.exists("sys") else "out")
