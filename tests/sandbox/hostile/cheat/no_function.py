"""A program that has nothing to ask."""
print("done")
