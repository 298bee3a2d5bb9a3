"""Leave a module where the next program looks for its packages."""
try:
    open("/packages/random.py", "w")
except OSError:
    print("contained")
