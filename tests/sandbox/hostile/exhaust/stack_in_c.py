"""Recursion inside the interpreter's own code, with its limit taken away."""
import sys

sys.setrecursionlimit(10**9)
one, other = [], []
for _ in range(200_000):
    one, other = [one], [other]
print(one == other)
