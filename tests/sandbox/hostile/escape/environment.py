"""Secrets in the environment."""
import os

text = open("/proc/self/environ").read().replace("\0", " ") + " ".join(os.environ)
wanted = {"HOME", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH", "PYTHONHASHSEED"}
print("contained" if set(os.environ) <= wanted and "TOKEN" not in text and "SECRET" not in text else text)
