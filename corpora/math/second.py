"""A second way through a calculation: Python's own parser and exact rationals, nothing shared with `annotations.Expression`.

What made a row and what checks it would otherwise err together. Only numbers, one name, `+ - * / //` and parentheses are
accepted, in at most 300 characters; nothing is ever run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from fractions import Fraction

from corpora.math.annotations import Unusable

_LONGEST = 300
_ALLOWED = re.compile(r"[-+*/().\dA-Za-z ]*")
_POINT = re.compile(r"(?<![\d.])\.(?=\d)|(?<=\d)\.(?![\d.])")
_ZEROS = re.compile(r"(?<![\d.A-Za-z])0+(?=\d)")


def value(text: str, names: Mapping[str, Fraction] | None = None) -> Fraction:
    """Calculate.

    >>> value("48/2 - .5"), value("3 * (X + 2)", {"X": Fraction(4)})
    (Fraction(47, 2), Fraction(18, 1))
    """
    if len(text) > _LONGEST or not _ALLOWED.fullmatch(text) or "**" in text:
        raise Unusable("calculation not read")
    spelled = _ZEROS.sub("", _POINT.sub(lambda match: "0." if match.start() == match.end() - 1 else "", text)).strip()
    try:
        tree = ast.parse(spelled.lstrip("+"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unusable("calculation not read") from None
    return _value(tree.body, spelled.lstrip("+"), names or {})


def _value(node: ast.expr, text: str, names: Mapping[str, Fraction]) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(text[node.col_offset : node.end_col_offset])
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _value(node.operand, text, names)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _value(node.left, text, names), _value(node.right, text, names))
    raise Unusable("calculation not read")


def _binary(sign: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    if isinstance(sign, (ast.Div, ast.FloorDiv)):
        if right == 0:
            raise Unusable("division by zero")
        return left / right if isinstance(sign, ast.Div) else Fraction(left // right)
    if isinstance(sign, ast.Add):
        return left + right
    if isinstance(sign, ast.Sub):
        return left - right
    if isinstance(sign, ast.Mult):
        return left * right
    raise Unusable("calculation not read")
