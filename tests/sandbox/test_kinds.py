"""Which jail a program gets."""

import pytest

from sandbox.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Kind.PLAIN),
        ("import math\nprint(math.pi)", Kind.PLAIN),
        ("import numpy as np", Kind.NUMPY),
        ("def f():\n    from numpy.linalg import inv", Kind.NUMPY),
        ("import numpy\nimport sympy", Kind.SYMPY),
        ("from mpmath import mp", Kind.SYMPY),
        ("__import__('sympy')", Kind.SYMPY),
        ("importlib.import_module(name)", Kind.PLAIN),
        ("(" * 100_000, Kind.PLAIN),
    ],
)
def test_the_words_of_a_program_choose(text, kind):
    assert kind_of(text) is kind
