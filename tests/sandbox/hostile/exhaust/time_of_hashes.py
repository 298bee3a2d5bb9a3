"""Keys that all have one hash."""
d = {}
for i in range(200_000):
    d[i * (2**61 - 1)] = i
