"""A regular expression that tries everything."""
import re

re.match(r"(a+)+$", "a" * 40 + "b")
