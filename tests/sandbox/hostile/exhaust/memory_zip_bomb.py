"""A small input that unpacks to a large one."""
import zlib

small = zlib.compress(bytes(1 << 20))
large = zlib.decompressobj()
text = b"".join(zlib.decompress(small) for _ in range(1000))
