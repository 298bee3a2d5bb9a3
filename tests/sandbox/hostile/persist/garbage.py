"""Objects with finalizers that run in whoever collects next."""
import gc


class Late:
    def __init__(self):
        self.me = self

    def __del__(self):
        open("/tmp/late", "w").write("42")


gc.disable()
kept = [Late() for _ in range(100)]
