"""Leave with the largest code."""
raise SystemExit(-1)
