# coding: no-such-encoding
"""A declared encoding that does not exist: the text is decoded already, so it is only a comment."""
print("ok")
