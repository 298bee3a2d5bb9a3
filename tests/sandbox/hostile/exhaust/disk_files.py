"""Fill /tmp with empty files."""
for i in range(10_000):
    open(f"/tmp/{i}", "w").close()
