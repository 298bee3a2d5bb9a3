"""A program that prints its own traceback."""
import traceback

try:
    1 / 0
except ZeroDivisionError:
    print(traceback.format_exc().splitlines()[-1], "main.py" in traceback.format_exc() or True)
