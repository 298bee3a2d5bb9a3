"""Weights in, weights out: conversion, training, generation, evaluation and release; torch lives only here."""

SAVED_AND_STOPPED = 75
"""Exit code of a rank that was told to stop and saved first (EX_TEMPFAIL of sysexits.h): start it again and it goes on."""


class TrainingFailed(Exception):
    """A training command ended badly: the message has its exit code, its log and the log's last lines."""


class ReleaseRefused(Exception):
    """A checkpoint misses a floor of its recipe: the message says which and by how much."""
