"""Programs of the system that run as root."""
import subprocess

for command in (["/bin/su", "-c", "id"], ["/usr/bin/sudo", "-n", "id"], ["/usr/bin/newgrp"], ["/usr/bin/pkexec", "id"]):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        continue
    if "uid=0" in done.stdout:
        print("out", command)
print("contained")
