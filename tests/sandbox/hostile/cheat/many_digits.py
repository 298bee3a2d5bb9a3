"""A number whose reading takes for ever."""
import os

body = b"=" + b"9" * 1_000_000
os.write(3, b"\x01\0\0\0+" + len(body).to_bytes(4, "little") + body)
os._exit(0)
