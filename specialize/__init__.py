"""Weights in, weights out: conversion, training, generation, evaluation and release; torch lives only here."""


class TrainingFailed(Exception):
    """A training command ended badly: the message has its exit code, its log and the log's last lines."""


class ReleaseRefused(Exception):
    """A checkpoint misses a floor of its recipe: the message says which and by how much."""
