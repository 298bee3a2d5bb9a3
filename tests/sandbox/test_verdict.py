"""Docstrings whose examples are literal become asserts; others become nothing."""

import pytest

from sandbox import doctest_asserts


def test_literal_examples_become_asserts():
    docstring = """Double it.

    >>> double(2)
    4
    >>> double([1])
    [1, 1]
    >>> double(x='a') == 'aa'
    True
    >>> round(double(0.126), 2)
    0.25
    >>> double(None)
    """
    assert doctest_asserts(docstring, "double").splitlines() == [
        "assert (double(2)) == (4)",
        "assert (double([1])) == ([1, 1])",
        "assert (double(x='a') == 'aa') is (True)",
        "assert (round(double(0.126), 2)) == (0.25)",
        "assert (double(None)) is (None)",
    ]


@pytest.mark.parametrize(
    "docstring",
    [
        "",
        "No examples.",
        ">>> other(1)\n1",
        ">>> x = 1\n>>> double(x)\n2",
        ">>> double(1)\nTraceback (most recent call last):\nTypeError: no",
        ">>> double(1)\n<object at 0x7f>",
        ">>> double(1)  # doctest: +SKIP\n2",
        ">>> double(1)\n[1, ...]",
        ">>> print(double(1))\n2",
        ">>> double(1",
        ">>>double(1)",
    ],
)
def test_other_docstrings_become_nothing(docstring):
    assert doctest_asserts(docstring, "double") is None
