"""A folder in a folder in a folder."""
import os

for i in range(10_000):
    os.mkdir("x")
    os.chdir("x")
