"""JSON, CSV, struct, base64, zlib, hashes."""
import base64
import csv
import hashlib
import io
import json
import struct
import zlib

text = json.dumps({"a": [1, 2.5, None, "é"]})
rows = list(csv.reader(io.StringIO("a,b\n1,2\n")))
print(json.loads(text)["a"], rows, struct.unpack("<H", b"\x01\x02"), base64.b64encode(b"x"),
      zlib.decompress(zlib.compress(b"y")), hashlib.sha256(b"z").hexdigest()[:8])
