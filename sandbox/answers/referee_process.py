r"""The referee's own process: trees in, one line of JSON out, until its input ends.

sympy objects are built node by node from a table; nothing is parsed from text and nothing is evaluated as code. Memory is limited
by the system and time by a thread that ends the process, so that it does not outlive a caller that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import Any

_MEMORY_BYTES = 1 << 30
_SECONDS = 3.0  # after this the process ends itself; the caller has given up long before


def main() -> None:
    """Answer questions."""
    import sympy

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    print("ready", file=output, flush=True)
    for line in sys.stdin:
        watch = threading.Timer(_SECONDS, os._exit, (1,))
        watch.daemon = True
        watch.start()
        print(json.dumps(_answer(sympy, json.loads(line))), file=output, flush=True)
        watch.cancel()


def _answer(sympy: Any, question: dict[str, Any]) -> bool | None:
    try:
        return _by_sympy(sympy, *question["trees"]) if "trees" in question else _by_math_verify(*question["texts"])
    except Exception:  # noqa: BLE001  # sympy raises anything; all of it means that nothing is known
        return None


def _by_sympy(sympy: Any, left: list[Any], right: list[Any]) -> bool | None:
    one, other = (_built(sympy, tree).doit() for tree in (left, right))
    if one.has(sympy.Limit, sympy.Integral, sympy.Sum, sympy.Product) or other.has(
        sympy.Limit, sympy.Integral, sympy.Sum, sympy.Product
    ):
        return None
    if one == other:
        return True
    if one.is_infinite or other.is_infinite:
        return False if one.is_finite or other.is_finite else None
    difference = one - other
    if not difference.free_symbols:
        value = difference.evalf(40)
        if value.is_number and abs(value) > 1e-20 * (1 + abs(other.evalf(40))):
            return False
    found = difference.equals(0)
    return found if found is None else bool(found)


def _by_math_verify(gold: str, predicted: str) -> bool | None:
    from math_verify import parse, verify

    with contextlib.redirect_stdout(sys.stderr):
        forms = [
            parse(rf"\boxed{{{text}}}", fallback_mode="no_fallback", parsing_timeout=None) for text in (gold, predicted)
        ]
        if not all(forms):
            return None
        return bool(verify(*forms, float_rounding=12, numeric_precision=50, timeout_seconds=None)) or None


def _built(sympy: Any, tree: list[Any]) -> Any:
    kind, value, parts = tree
    build = _BUILDERS[kind]
    return build(sympy, value, [_built(sympy, part) for part in parts])


def _call(sympy: Any, value: str, parts: list[Any]) -> Any:
    if value == "log" and len(parts) == 1:
        raise ValueError("a log without a base")
    names = {
        "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot",
        "abs": "Abs", "ceil": "ceiling", "min": "Min",
        "max": "Max", "Re": "re", "Im": "im",
    }  # fmt: skip
    known = [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "sinh",
        "cosh",
        "tanh",
        "log",
        "asin",
        "acos",
        "atan",
        "acot",
        "Abs",
        "floor",
        "ceiling",
        "Min",
        "Max",
        "re",
        "im",
        "arg",
        "sign",
        "binomial",
        "gcd",
        "lcm",
    ]
    name = names.get(value, "binomial" if value == "binom" else value)
    if name not in known:
        raise ValueError(name)
    return getattr(sympy, name)(*parts)


def _series(sympy: Any, value: str, parts: list[Any]) -> Any:
    body, name, low, high = parts
    return (sympy.Sum if value == "sum" else sympy.Product)(body, (name, low, high))


_BUILDERS: dict[str, Callable[[Any, Any, list[Any]], Any]] = {
    "number": lambda sympy, value, _: sympy.Rational(*map(int, value.split("/"))),
    "name": lambda sympy, value, _: sympy.Symbol(value, real=True),
    "constant": lambda sympy, value, _: {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}[value],
    "sum": lambda sympy, _, parts: sympy.Add(*parts),
    "product": lambda sympy, _, parts: sympy.Mul(*parts),
    "quotient": lambda _, __, parts: parts[0] / parts[1],
    "power": lambda sympy, _, parts: sympy.Pow(*parts),
    "minus": lambda _, __, parts: -parts[0],
    "root": lambda sympy, _, parts: (
        sympy.real_root(*parts) if parts[0].is_negative and parts[1].is_odd else parts[0] ** (1 / parts[1])
    ),
    "factorial": lambda sympy, _, parts: sympy.factorial(*parts),
    "degrees": lambda sympy, _, parts: parts[0] * sympy.pi / 180,
    "call": _call,
    "series": _series,
    "limit": lambda sympy, _, parts: sympy.limit(*parts),
    "integral": lambda sympy, _, parts: sympy.integrate(parts[0], (parts[1], parts[2], parts[3])),
}
