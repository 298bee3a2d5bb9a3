"""Become a shell that fails."""
import os

os.execv("/bin/sh", ["sh", "-c", "exit 7"])
