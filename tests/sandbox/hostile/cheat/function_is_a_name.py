"""The function is not a function."""
f = 12345678
