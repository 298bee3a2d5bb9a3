"""Half a character, which UTF-8 cannot write."""
print("\ud800")
