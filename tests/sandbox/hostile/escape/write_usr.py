"""Write a file into the system."""
try:
    open("/usr/lib/hostile", "w")
except OSError:
    print("contained")
