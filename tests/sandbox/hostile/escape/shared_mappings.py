"""Memory that is shared with pid 1 and can be written."""
rows = [line.split() for line in open("/proc/self/maps")]
seen = [row for row in rows if "s" in row[1] and "w" in row[1]]
print(seen or "contained")
