"""Become a program whose exit status is 0."""
import os

os.execv("/bin/true", ["true"])
