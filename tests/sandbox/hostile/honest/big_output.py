"""Much output, within the limit."""
print("x" * 60_000)
