"""The labelled table of answers, and the tests on it."""
