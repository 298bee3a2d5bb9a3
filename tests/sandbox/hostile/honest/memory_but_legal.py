"""A large part of the allowed memory."""
kept = [0] * (8 << 20)
print(len(kept))
