"""Plain values across the wall: encoded in the jail, decoded outside by an allow-list, never unpickled.

Guarantees: `decode` returns exact builtin types only (and Decimal, Fraction, Opaque), within fixed bounds of size,
depth and keys, or raises BadValue; nothing of the candidate's runs here. A subclass arrives as its base type, so its
`__eq__` stays behind. Costs: one JSON text a value; 2 MB a value at most. Leaves out: objects of other classes, which
arrive as Opaque and compare with nothing.
"""

from __future__ import annotations

import json
from typing import Any

MAX_FRAME = 2 << 20  # bytes of one encoded value; decoding it peaks near 100 MB
MAX_DEPTH = 200  # nested containers
MAX_LENGTH = 1_000_000  # elements of a sequence made by a test's own arithmetic or by a range
MAX_KEYS = 4000  # of a set or dict: colliding hashes cost the square, 0.06 s here
MAX_DIGITS = 100_000  # hexadecimal digits of an integer
MAX_EXPONENT = 1000  # of a Decimal: int(Decimal("1e999999999")) would not come back

_ATOMS = frozenset({int, bool, str, float, type(None)})
_BASES: tuple[type, ...] = (int, float, str, bytes, list, tuple, dict, set, frozenset, complex)
_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=True).encode


class BadValue(Exception):
    """What came back is not a plain value within bounds: a wrong answer, never a fault."""


class NotComparable(Exception):
    """A check compares an object that is not plain data."""


class Opaque:
    """Stands for an object that did not cross; comparing it is refused, not answered."""

    __slots__ = ("name",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        raise NotComparable(f"the result holds an object of class {self.name}")

    __ne__ = __eq__

    def __bool__(self) -> bool:
        raise NotComparable(f"the result is an object of class {self.name}")


def encode(value: Any, depth: int = 0) -> Any:
    """Value -> what JSON can hold; containers and odd types become one-key dicts. Runs in the jail."""
    kind = type(value)
    if kind is int:
        return value if -(10**18) < value < 10**18 else {"i": hex(value)}
    if kind in _ATOMS:
        return value
    if depth > MAX_DEPTH:
        raise RecursionError("the result is nested too deep")
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, depth + 1)
    for base in _BASES:
        if isinstance(value, base):
            return encode(_as_base(base, value), depth)
    return _encode_known_class(value, depth)


def _items(values: Any, depth: int) -> list[Any]:
    return [encode(item, depth) for item in values]


_ENCODERS: dict[type, Any] = {
    tuple: lambda v, depth: {"t": _items(v, depth)},
    set: lambda v, depth: {"s": _items(v, depth)},
    frozenset: lambda v, depth: {"z": _items(v, depth)},
    type({}.keys()): lambda v, depth: {"z": _items(v, depth)},
    dict: lambda v, depth: {"d": [[encode(k, depth), encode(x, depth)] for k, x in v.items()]},
    bytes: lambda v, _: {"b": v.decode("latin-1")},
    bytearray: lambda v, _: {"B": v.decode("latin-1")},
    complex: lambda v, _: {"c": [v.real, v.imag]},
    range: lambda v, depth: {"r": _items((v.start, v.stop, v.step), depth)},
}


def _as_base(base: type, value: Any) -> Any:
    """The value as its base type, read by the base's own methods: the subclass's overrides do not run."""
    if base in (int, complex):
        return base.__add__(value, 0)
    if base is float:
        return float(float.__repr__(value))
    if base is str:
        return str.__getitem__(value, slice(None))
    if base is dict:
        return dict(dict.items(value))
    return base(base.__iter__(value))  # type: ignore[attr-defined]


def _encode_known_class(value: Any, depth: int) -> Any:
    kind = type(value)
    package = kind.__module__.split(".")[0]
    if package == "decimal" and kind.__name__ == "Decimal":
        return {"D": str(value)}
    if package == "fractions" and kind.__name__ == "Fraction":
        return {"F": _items((value.numerator, value.denominator), depth)}
    if package == "numpy" and getattr(value, "shape", None) == ():
        return encode(value.item(), depth + 1)
    return {"o": kind.__name__[:80]}


def pack(value: Any) -> bytes:
    """One value as bytes. Runs in the jail."""
    return _dumps(encode(value)).encode()


def unpack(frame: bytes) -> Any:
    """Bytes from the candidate -> plain value. BadValue for anything else, whatever it is."""
    try:
        return _decode(json.loads(frame.decode("ascii")), 0)
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as error:
        raise BadValue(f"not a plain value: {error!r:.200}") from None


def _decode(value: Any, depth: int) -> Any:
    if type(value) is list:
        return _decoded(value, depth)
    if type(value) is not dict:
        return value
    if depth > 2 * MAX_DEPTH or len(value) != 1:
        raise ValueError("shape")
    ((tag, payload),) = value.items()
    return _DECODERS[tag](payload, depth + 1)


def _decoded(values: Any, depth: int) -> list[Any]:
    if type(values) is not list:
        raise ValueError("not a list")
    return [item if type(item) in _ATOMS else _decode(item, depth + 1) for item in values]


def _text(value: Any, limit: int = MAX_FRAME) -> str:
    if type(value) is not str or len(value) > limit:
        raise ValueError("not a text within bounds")
    return value


def _keys(values: Any, depth: int) -> list[Any]:
    if len(values) > MAX_KEYS:
        raise ValueError("too many keys")
    return _decoded(values, depth)


def _mapping(pairs: Any, depth: int) -> dict[Any, Any]:
    if type(pairs) is not list or len(pairs) > MAX_KEYS:
        raise ValueError("too many keys")
    return dict(_decoded(pair, depth) for pair in pairs)


def _range(bounds: Any, depth: int) -> range:
    made = range(*_decoded(bounds, depth)[:3])
    if len(made) > MAX_LENGTH:
        raise ValueError("range too long")
    return made


def _decimal(text: Any, _: int) -> Any:
    from decimal import Decimal

    made = Decimal(_text(text, MAX_EXPONENT))
    if made.is_finite() and abs(made.adjusted()) > MAX_EXPONENT:
        raise ValueError("exponent out of bounds")
    return made


def _fraction(parts: Any, depth: int) -> Any:
    from fractions import Fraction

    numerator, denominator = _decoded(parts, depth)
    if type(numerator) is not int or type(denominator) is not int:
        raise ValueError("a fraction is two integers")  # Fraction("1e999999999") would not come back
    return Fraction(numerator, denominator)


_DECODERS: dict[str, Any] = {
    "i": lambda v, _: int(_text(v, MAX_DIGITS), 16),
    "t": lambda v, depth: tuple(_decoded(v, depth)),
    "s": lambda v, depth: set(_keys(v, depth)),
    "z": lambda v, depth: frozenset(_keys(v, depth)),
    "d": _mapping,
    "b": lambda v, _: _text(v).encode("latin-1"),
    "B": lambda v, _: bytearray(_text(v).encode("latin-1")),
    "c": lambda v, _: complex(float(v[0]), float(v[1])),
    "r": _range,
    "D": _decimal,
    "F": _fraction,
    "o": lambda v, _: Opaque(_text(v, 80)),
}
