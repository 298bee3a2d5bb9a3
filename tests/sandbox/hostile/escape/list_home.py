"""Look for keys in the homes."""
import os

seen = []
keys = [f"root/{name}" for name in (".ssh", ".config", ".cache")]
for folder in [*keys, "home", "var/lib", "mnt", "srv"]:
    try:
        seen += os.listdir(f"/{folder}")
    except OSError:
        pass
print(seen or "contained")
