"""The operators and builtins a literal test may use, each refusing work out of bounds.

Guarantees: nothing here runs for long or makes much, whatever the candidate answered and whoever wrote the test; what
would is BadValue. Leaves out: formatting, shifts, and everything that is not pure.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from sandbox.values import MAX_LENGTH, BadValue, Opaque, check_keys

MAX_POWER_BITS = 100_000  # of the result of `**` on integers


def _bounded(build: Callable[..., Any]) -> Callable[..., Any]:
    """A builtin that makes a container, refused above a length: the argument is the candidate's."""

    def made(*arguments: Any, **keywords: Any) -> Any:
        if any(_has_length(argument) and len(argument) > MAX_LENGTH for argument in arguments):
            raise BadValue(f"more than {MAX_LENGTH} elements")
        return build(*arguments, **keywords)

    return made


def _hashing(build: Callable[..., Any]) -> Callable[..., Any]:
    """The same for one that hashes what it is given."""

    def made(*arguments: Any, **keywords: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, (list, tuple, range)):
                check_keys(argument)
        return build(*arguments, **keywords)

    return _bounded(made)


def _has_length(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, Opaque)


PURE: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (abs, len, round, sum, min, max, float, int, str, bool, any, all)},
    **{f.__name__: _bounded(f) for f in (list, tuple, sorted)},
    **{f.__name__: _hashing(f) for f in (set, frozenset, dict)},
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}


def _multiply(left: Any, right: Any) -> Any:
    for sequence, count in ((left, right), (right, left)):
        if _has_length(sequence) and not (type(count) is int and len(sequence) * count <= MAX_LENGTH):
            raise BadValue("a repetition out of bounds")
    return left * right


def _power(base: Any, exponent: Any) -> Any:
    if type(base) is int and type(exponent) is int and abs(exponent) * base.bit_length() <= MAX_POWER_BITS:
        return base**exponent
    if float in (type(base), type(exponent)):
        return base**exponent
    raise BadValue("a power out of bounds")


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes, bytearray)):
        raise BadValue("formatting is not arithmetic")
    return left % right


BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: _remainder,
    ast.Pow: _power,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
