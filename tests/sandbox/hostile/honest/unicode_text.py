"""Text beyond ASCII, in source, output and files."""
import unicodedata

ärger = "grün 中文 🎉"
open("/tmp/ü", "w").write(ärger)
print(open("/tmp/ü").read(), unicodedata.normalize("NFD", "é") == "e\u0301", len("🎉"), ärger.upper())
