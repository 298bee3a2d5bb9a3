"""A program whose compilation is the work."""
compile("lambda: " * 90 + "0", "x", "eval")
while True:
    compile("f(" * 80 + ")" * 80, "x", "eval")
