"""Let the import system leave its own bytecode beside a module."""
import importlib.util
import json
import os

try:
    os.makedirs(os.path.dirname(importlib.util.cache_from_source(json.__file__)) + "/x")
except OSError:
    print("contained")
