"""A program with the set-user-id bit."""
import os
import shutil
import subprocess

shutil.copy("/bin/sh", "/tmp/sh")
os.chmod("/tmp/sh", 0o6755)
text = subprocess.run(["/tmp/sh", "-c", "id -u; cat /proc/self/status"], capture_output=True, text=True).stdout
print("contained" if text.startswith("1000\n") and "CapEff:\t0000000000000000" in text else text)
