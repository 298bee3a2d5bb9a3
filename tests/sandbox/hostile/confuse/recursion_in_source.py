"""A sum of a hundred thousand terms."""
eval("+".join("1" for _ in range(100_000)))
