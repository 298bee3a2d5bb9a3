"""Change what every program calls."""
import builtins
import os

builtins.print = builtins.open = builtins.len = lambda *a, **k: 42
os.listdir = os.getpid = lambda *a: 42
