"""Open files without end."""
kept = []
while True:
    kept.append(open("/dev/null"))
