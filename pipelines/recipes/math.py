"""Placeholder while the math package is written."""

MATH = {}
