"""Temporary files and folders."""
import os
import tempfile

with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w+", dir=folder) as file:
    file.write("42")
    file.flush()
    print(open(file.name).read(), folder.startswith("/tmp/"))
print(os.listdir("/tmp"))
