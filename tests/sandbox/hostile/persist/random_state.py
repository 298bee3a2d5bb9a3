"""The next program's random numbers."""
import random

random.seed(42)
random.random()
