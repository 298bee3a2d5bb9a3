"""Source code: licence, signals, filters, syntax."""
