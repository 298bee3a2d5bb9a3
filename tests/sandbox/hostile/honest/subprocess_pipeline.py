"""A pipeline of the shell."""
import subprocess

print(subprocess.run("printf 'b\\na\\n' | sort | tr 'a-z' 'A-Z'", shell=True, capture_output=True, text=True).stdout.split())
