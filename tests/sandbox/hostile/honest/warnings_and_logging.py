"""Warnings and a log, both on standard error."""
import logging
import warnings

warnings.warn("careful")
logging.warning("hot")
print("ok")
