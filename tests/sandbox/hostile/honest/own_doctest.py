"""A program that tests itself.

>>> 1 + 1
2
"""
import doctest

print(doctest.testmod())
