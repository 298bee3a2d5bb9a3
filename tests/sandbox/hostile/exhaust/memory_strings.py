"""One expression that wants everything."""
text = "x" * 10**11
