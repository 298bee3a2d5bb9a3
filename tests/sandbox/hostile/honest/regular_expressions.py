"""Regular expressions of the ordinary kind."""
import re

print(re.findall(r"(\w+)@(\w+)\.com", "a@b.com, c@d.com"), re.sub(r"\s+", " ", "a   b"))
