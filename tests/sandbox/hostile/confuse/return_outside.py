"""A statement where it cannot stand: found by the compiler, not by the parser."""
return 1
