"""exec, eval, compile, importlib."""
import importlib

space = {}
exec("def f(x): return x * 2", space)
print(space["f"](4), eval("2 ** 10"), importlib.import_module("string").digits)
