"""A value nested a hundred thousand times."""
import os

body = b"=" + b"[" * 100_000 + b"]" * 100_000
os.write(3, b"\x01\0\0\0+" + len(body).to_bytes(4, "little") + body)
os._exit(0)
