"""Our work against the named peers, ratios in one run: `python benchmarks/NAME.py`."""
