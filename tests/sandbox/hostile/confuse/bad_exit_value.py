"""An exit status that is no number."""
raise SystemExit({"status": 0})
