"""A program of the system."""
import subprocess

print("bash" in subprocess.run(["/bin/ls", "/bin/"], capture_output=True, text=True, check=True).stdout)
