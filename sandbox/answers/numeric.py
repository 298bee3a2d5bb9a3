"""The value of an expression at a point, with 50 digits of mpmath. Contexts belong to threads: no global precision is touched.

Powers, factorials and arguments that would take long or lose all digits have no value here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.answers.exact import Undefined, exact
from sandbox.answers.tree import Node, Unreadable, number, replace, word_set

DIGITS = 50
_LOCAL = threading.local()


class Unknown(ValueError):
    """No value at this point, or none that can be computed."""


def context_of_thread() -> Any:
    """Give the arithmetic of this thread."""
    context = getattr(_LOCAL, "context", None)
    if context is None:
        import mpmath

        context = _LOCAL.context = mpmath.MPContext()
        context.dps = DIGITS
    return context


def number_of(node: Node) -> Any | None:
    """Give the real value of a constant expression as a number of mpmath, or None."""
    try:
        value = Numeric(context_of_thread(), {}).value(node)
    except (Unknown, Unreadable, Undefined, ArithmeticError, ValueError, TypeError):
        return None
    return value if isinstance(value, context_of_thread().mpf) else None


class Numeric:
    """One evaluation at one point."""

    def __init__(self, context: Any, point: Mapping[str, Any]) -> None:
        self.context = context
        self.point = point

    def value(self, node: Node) -> Any:
        """Give the value of a tree."""
        rule = _NUMERIC.get(node.kind)
        if rule is None:
            raise Unknown(node.kind)
        return rule(self, node)


def _numeric_sum(run: Numeric, node: Node) -> Any:
    return run.context.fsum(run.value(part) for part in node.parts)


def _numeric_product(run: Numeric, node: Node) -> Any:
    return run.context.fprod(run.value(part) for part in node.parts)


def _numeric_quotient(run: Numeric, node: Node) -> Any:
    below = run.value(node.parts[1])
    if below == 0:
        raise Unknown("division by zero")
    return run.value(node.parts[0]) / below


def _numeric_power(run: Numeric, node: Node) -> Any:
    context, base, exponent = run.context, run.value(node.parts[0]), run.value(node.parts[1])
    if base == 0:
        if context.re(exponent) <= 0:
            raise Unknown("a power of zero")
        return base
    if abs(exponent) > 2**64 or abs(exponent) * abs(context.log(abs(base))) > 10**12:
        raise Unknown("a power too large")
    if isinstance(base, context.mpf) and base < 0:
        order = exact(node.parts[1])
        if order is not None and order.denominator % 2 and order.denominator > 1:  # the real root, as in school
            return (-1 if order.numerator % 2 else 1) * context.power(-base, exponent)
    return context.power(base, exponent)


def _numeric_root(run: Numeric, node: Node) -> Any:
    context, base, order = run.context, run.value(node.parts[0]), run.value(node.parts[1])
    if order == 0:
        raise Unknown("a root of order zero")
    if isinstance(base, context.mpf) and base < 0 and order % 2 == 1:
        return -context.power(-base, 1 / order)
    return context.sqrt(base) if order == 2 else context.power(base, 1 / order)


def _numeric_factorial(run: Numeric, node: Node) -> Any:
    value = run.value(node.parts[0])
    if isinstance(value, run.context.mpc) or not 0 <= value <= 10**9:
        raise Unknown("a factorial too large")
    return run.context.factorial(value)


def _numeric_call(run: Numeric, node: Node) -> Any:
    rule = _FUNCTIONS.get(node.value)
    if rule is None:
        raise Unknown(str(node.value))
    values = [run.value(part) for part in node.parts]
    if any(abs(value) > 10**9 for value in values) and node.value in _BOUNDED:
        raise Unknown("an argument too large")
    value = rule(run.context, *values)
    if abs(value) > run.context.mpf(10) ** 30 and node.value in _BOUNDED:
        raise Unknown("a pole")
    return value


def _numeric_series(run: Numeric, node: Node) -> Any:
    body, name, low, high = node.parts
    first, last = run.value(low), run.value(high)
    if not (run.context.isint(first) and run.context.isint(last)) or last - first > 40:
        raise Unknown("a sum without whole bounds, or a long one")
    terms = (run.value(replace(body, name.value, number(index))) for index in range(int(first), int(last) + 1))
    return run.context.fsum(terms) if node.value == "sum" else run.context.fprod(terms)


def _numeric_constant(run: Numeric, node: Node) -> Any:
    if node.value == "infinity":
        raise Unknown("infinity")
    return {"pi": +run.context.pi, "e": +run.context.e}.get(node.value, run.context.mpc(0, 1))


_BOUNDED = word_set("sin cos tan cot sec csc sinh cosh tanh coth")
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: (lambda context, x, name=name: getattr(context, name)(x)) for name in _BOUNDED},
    **{
        f"arc{name}": (lambda context, x, name=name: getattr(context, f"a{name}")(x))
        for name in ("sin", "cos", "tan", "cot", "sec", "csc")
    },
    "ln": lambda context, x: context.log(x),
    "log": lambda context, x, base: context.log(x) / context.log(base),
    "abs": lambda _, x: abs(x),
    "floor": lambda context, x: context.floor(x),
    "ceil": lambda context, x: context.ceil(x),
    "Re": lambda context, x: context.re(x),
    "Im": lambda context, x: context.im(x),
    "arg": lambda context, x: context.arg(x),
    "min": lambda _, *values: min(values),
    "max": lambda _, *values: max(values),
    "binom": lambda context, above, below: context.binomial(above, below),
}
_NUMERIC: dict[str, Callable[[Numeric, Node], Any]] = {
    "number": lambda run, node: run.context.mpf(node.value.numerator) / node.value.denominator,
    "name": lambda run, node: run.point[node.value],
    "constant": _numeric_constant,
    "sum": _numeric_sum,
    "product": _numeric_product,
    "quotient": _numeric_quotient,
    "power": _numeric_power,
    "root": _numeric_root,
    "minus": lambda run, node: -run.value(node.parts[0]),
    "percent": lambda run, node: run.value(node.parts[0]) / 100,
    "degrees": lambda run, node: run.value(node.parts[0]) * run.context.pi / 180,
    "factorial": _numeric_factorial,
    "call": _numeric_call,
    "series": _numeric_series,
}
