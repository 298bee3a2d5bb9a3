"""A large part of the allowed disk."""
with open("/tmp/x", "wb") as file:
    file.write(bytes(6 << 20))
print(file.closed)
