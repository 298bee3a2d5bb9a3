"""The same, politely."""
raise SystemExit(0)
