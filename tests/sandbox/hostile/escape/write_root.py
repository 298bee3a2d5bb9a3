"""Write a file at the top."""
try:
    open("/hostile", "w")
except OSError:
    print("contained")
