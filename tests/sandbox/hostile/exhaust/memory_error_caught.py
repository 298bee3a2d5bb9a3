"""Catch the refusal and go on for ever."""
kept = []
while True:
    try:
        kept.append(bytearray(1 << 20))
    except MemoryError:
        kept = kept[:10]
