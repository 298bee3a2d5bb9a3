"""Leave a note where nobody looks."""
import os

os.makedirs("/tmp/.a/.b")
open("/tmp/.a/.b/.c", "w").write("42")
os.chmod("/tmp/.a", 0)
