"""Which jail a program gets: what its zygote imported before the fork that becomes the program.

Guarantees: a wrong guess costs time, never a verdict: every kind can import the same packages. Costs, of CPU a program:
an import that is not there beforehand, about 45 ms for numpy and 200 for sympy; one that is there and not wanted, 0.4 and
3, because a fork copies the page tables of all that is in memory. So there are three. Leaves out: a parse. The text is
hostile, and looking for words in it cannot be made slow or wrong; they stand in every program that imports these
packages and does not hide it.
"""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """The modules a zygote has imported. One that is not installed is left out."""

    PLAIN = ""  # text, not tuples: an empty tuple is lost in the enum of Python 3.11.2
    NUMPY = "numpy numpy.random"  # which numpy loads when it is first used, in 15 ms
    SYMPY = "numpy numpy.random sympy"


def kind_of(text: str) -> Kind:
    """Choose by the words in a program.

    >>> kind_of("print(1)").name, kind_of("import numpy as np").name, kind_of("from sympy import *").name
    ('PLAIN', 'NUMPY', 'SYMPY')
    """
    if "sympy" in text or "mpmath" in text:
        return Kind.SYMPY
    return Kind.NUMPY if "numpy" in text else Kind.PLAIN
