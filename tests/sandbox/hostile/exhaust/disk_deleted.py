"""Fill /tmp by files that have no name any more."""
import os

kept = []
for i in range(99):
    kept.append(open("/tmp/x", "wb"))
    os.unlink("/tmp/x")
    kept[-1].write(bytes(1 << 20))
    kept[-1].flush()
