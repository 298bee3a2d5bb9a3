"""Fill /tmp."""
for i in range(99):
    with open(f"/tmp/{i}", "wb") as file:
        file.write(bytes(1 << 20))
