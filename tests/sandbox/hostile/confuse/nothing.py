"""No program at all."""
