"""A null byte in the middle."""
x = "\0"
eval("1\0+1")
