"""More memory than there is, in one piece."""
kept = bytearray(1 << 40)
