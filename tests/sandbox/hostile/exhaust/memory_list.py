"""A list that grows for ever."""
kept = []
while True:
    kept.append(bytearray(1 << 20))
