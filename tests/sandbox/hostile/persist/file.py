"""Leave a note in a file."""
open("/tmp/answer", "w").write("42")
