"""An exception whose last line is longer than a report."""
raise ValueError("x" * 200_000)
