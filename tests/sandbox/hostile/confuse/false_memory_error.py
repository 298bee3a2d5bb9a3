"""Claim that memory ran out."""
raise MemoryError("no memory for you")
