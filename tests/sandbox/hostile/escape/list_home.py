"""Look for keys in the homes."""
import os

seen = []
for folder in ("/root/.ssh", "/home", "/root/.config", "/root/.cache", "/var/lib", "/mnt", "/srv"):
    try:
        seen += os.listdir(folder)
    except OSError:
        pass
print(seen or "contained")
