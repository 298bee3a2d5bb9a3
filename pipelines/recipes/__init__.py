"""The numbers of the recipes: frozen dataclasses, each built by a function without arguments."""
