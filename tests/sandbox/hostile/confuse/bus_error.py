"""A page of a file that is not there any more."""
import mmap
import os

file = open("/tmp/x", "w+b")
file.truncate(8192)
page = mmap.mmap(file.fileno(), 8192)
file.truncate(0)
page[0]
