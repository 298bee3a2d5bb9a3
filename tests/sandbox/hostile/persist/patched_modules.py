"""Change modules that were loaded before us."""
import collections
import json
import random
import sys

json.dumps = collections.Counter = random.random = lambda *a: 42
sys.modules["math"] = sys.modules["random"]
