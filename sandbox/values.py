"""Plain values across the wall: encoded in the jail, decoded outside by an allow-list, never unpickled.

Guarantees: `unpack` returns values of the standard library's own types only, within fixed bounds of size, depth and
colliding keys, or raises BadValue; nothing of the candidate's runs here. A subclass arrives as its base type, so its
`__eq__` stays behind. Costs: one JSON text a value; 2 MB a value at most. Leaves out: objects of other classes, which
arrive as Opaque; sandbox.remote passes its own `refer` and `resolve`, and sends them by reference.
"""

from __future__ import annotations

import collections
import datetime
import json
from collections.abc import Callable, Collection
from typing import Any

MAX_FRAME = 2 << 20  # bytes of one encoded value; decoding it peaks near 100 MB
MAX_DEPTH = 200  # nested containers
MAX_LENGTH = 1_000_000  # elements of a sequence made by a test's own arithmetic or by a range
MAX_KEYS = 4000  # of a set or dict: were all their hashes one, it would cost the square, 0.06 s here
MAX_SAME_HASH = 64  # keys of one hash, in a set or dict that is larger than that
MAX_DIGITS = 100_000  # hexadecimal digits of an integer
MAX_EXPONENT = 1000  # of a Decimal: int(Decimal("1e999999999")) would not come back

ATOMS = frozenset({int, bool, str, float, type(None)})
REFERRED: set[type] = set()
"""The classes of sandbox.remote that stand for an object. To ask of what base they are would be ten calls of Python."""
_BASES: tuple[type, ...] = (int, float, str, bytes, list, tuple, dict, set, frozenset, complex)
_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=True).encode
_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_parts: Any = json.encoder.c_make_encoder and json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, None, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)
"""(markers, default, encoder of text, indent, separators, sort_keys, skipkeys, allow_nan) -> the parts of a text."""


class BadValue(Exception):
    """What came back is not a plain value within bounds: a wrong answer, never a fault."""


class NotComparable(Exception):
    """A check compares an object that is not plain data."""


class Opaque:
    """Stands for an object that did not cross; whatever is done with it is refused, not answered."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _refuse(self, *_: object) -> Any:
        raise NotComparable(f"the result is or holds an object of class {self.name}")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __float__ = __int__ = __index__ = __str__ = _refuse
    __hash__ = __abs__ = __neg__ = __pos__ = __round__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _refuse


Refer = Callable[[Any, "type | None", int], Any]
"""Encodes an object that is not plain: the object, its plain base if it has one, the depth."""
Resolve = Callable[[Any], Any]
"""Decodes what a Refer made."""


def encode(value: Any, depth: int, refer: Refer) -> Any:
    """Value -> what JSON can hold; containers and odd types become one-key dicts. Runs in the jail."""
    kind = type(value)
    if kind is int:
        return value if -(10**18) < value < 10**18 else {"i": hex(value)}
    if kind in ATOMS:
        return value
    if depth > MAX_DEPTH:
        raise RecursionError("the result is nested too deep")
    if kind in REFERRED:
        return refer(value, None, depth)
    if kind is list:
        return [encode(item, depth + 1, refer) for item in value]
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, depth + 1, refer)
    known = _encode_known_class(value, depth, refer)
    if known is not None:
        return known
    for base in _BASES:
        if isinstance(value, base):
            return refer(value, base, depth)
    return refer(value, None, depth)


def as_plain(value: Any, base: type | None, depth: int) -> Any:
    """The Refer of the literal path: a subclass as its base, anything else as its name."""
    return {"o": type(value).__name__[:80]} if base is None else encode(as_base(base, value), depth, as_plain)


def _items(values: Any, depth: int, refer: Refer) -> list[Any]:
    return [encode(item, depth, refer) for item in values]


def _pairs(values: Any, depth: int, refer: Refer) -> list[Any]:
    return [[encode(key, depth, refer), encode(value, depth, refer)] for key, value in values]


_ENCODERS: dict[type, Any] = {
    tuple: lambda v, depth, refer: {"t": _items(v, depth, refer)},
    set: lambda v, depth, refer: {"s": _items(v, depth, refer)},
    frozenset: lambda v, depth, refer: {"z": _items(v, depth, refer)},
    dict: lambda v, depth, refer: {"d": _pairs(v.items(), depth, refer)},
    type({}.keys()): lambda v, depth, refer: {"k": _items(v, depth, refer)},
    type({}.values()): lambda v, depth, refer: {"v": _items(v, depth, refer)},
    type({}.items()): lambda v, depth, refer: {"e": _pairs(v, depth, refer)},
    collections.Counter: lambda v, depth, refer: {"C": _pairs(dict.items(v), depth, refer)},
    collections.OrderedDict: lambda v, depth, refer: {"O": _pairs(v.items(), depth, refer)},
    collections.deque: lambda v, depth, refer: {"q": [v.maxlen, _items(v, depth, refer)]},
    bytes: lambda v, *_: {"b": v.decode("latin-1")},
    bytearray: lambda v, *_: {"B": v.decode("latin-1")},
    complex: lambda v, *_: {"c": [v.real, v.imag]},
    range: lambda v, depth, refer: {"r": _items((v.start, v.stop, v.step), depth, refer)},
    datetime.date: lambda v, *_: {"T": ["date", v.year, v.month, v.day]},
    datetime.timedelta: lambda v, *_: {"T": ["timedelta", v.days, v.seconds, v.microseconds]},
}


def as_base(base: type, value: Any) -> Any:
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


def _encode_known_class(value: Any, depth: int, refer: Refer) -> Any:
    kind = type(value)
    package = str(kind.__module__).partition(".")[0]
    if package in ("decimal", "_decimal", "_pydecimal") and kind.__name__ == "Decimal":
        return {"D": str(value)}
    if package == "fractions" and kind.__name__ == "Fraction":
        return {"F": _items((value.numerator, value.denominator), depth, refer)}
    if package == "datetime" and kind.__name__ == "datetime" and value.tzinfo is None:
        return {"T": ["datetime", *value.timetuple()[:6], value.microsecond]}
    if package == "numpy" and getattr(value, "shape", None) == ():
        return encode(value.item(), depth + 1, refer)
    return None


def pack(value: Any, refer: Refer = as_plain) -> bytes:
    """One value as bytes. Runs in the jail."""
    return as_json(encode(value, 0, refer)).encode()


def as_json(encoded: Any) -> str:
    """Without circles, which the library would look for, with an encoder made again for each text."""
    return "".join(_parts(encoded, 0)) if _parts else _dumps(encoded)


def unpack(frame: bytes, resolve: Resolve | None = None) -> Any:
    """Bytes from the candidate -> plain value. BadValue for anything else, whatever it is."""
    try:
        text = frame.decode("ascii")
        encoded, end = _scan(text, 0)
        if end != len(text):
            raise ValueError("more than one value")  # or white space, which `pack` does not make
        return _decode(encoded, 0, resolve)
    except (
        StopIteration,  # of the scanner, at what is not JSON
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as error:
        raise BadValue(f"not a plain value: {error!r:.200}") from None


def decode(value: Any, resolve: Resolve) -> Any:
    """What `encode` made -> value; for a part of a value that a Refer encoded. Raises what unpack turns to BadValue."""
    return _decode(value, 0, resolve)


def check_keys(keys: Collection[Any]) -> None:
    """BadValue for keys whose hashes collide so often that a set of them would not come back."""
    if len(keys) <= MAX_KEYS or max(collections.Counter(map(hash, keys)).values()) <= MAX_SAME_HASH:
        return
    distinct = {hex(key) if type(key) is int else repr(key): hash(key) for key in keys}  # texts do not collide
    if max(collections.Counter(distinct.values()).values()) > MAX_SAME_HASH:
        raise BadValue(f"more than {MAX_SAME_HASH} of {len(keys)} keys have one hash")


def _decode(value: Any, depth: int, resolve: Resolve | None) -> Any:
    if type(value) is list:
        return _decoded(value, depth, resolve)
    if type(value) is not dict:
        return value
    if depth > 2 * MAX_DEPTH or len(value) != 1:
        raise ValueError("shape")
    ((tag, payload),) = value.items()
    return _DECODERS[tag](payload, depth + 1, resolve)


def _decoded(values: Any, depth: int, resolve: Resolve | None) -> list[Any]:
    if type(values) is not list:
        raise ValueError("not a list")
    return [item if type(item) in ATOMS else _decode(item, depth + 1, resolve) for item in values]


def _text(value: Any, limit: int = MAX_FRAME) -> str:
    if type(value) is not str or len(value) > limit:
        raise ValueError("not a text within bounds")
    return value


def _keys(values: Any, depth: int, resolve: Resolve | None) -> list[Any]:
    made = _decoded(values, depth, resolve)
    check_keys(made)
    return made


def _mapping(pairs: Any, depth: int, resolve: Resolve | None) -> dict[Any, Any]:
    made = [_decoded(pair, depth, resolve) for pair in _listed(pairs)]
    check_keys([pair[0] for pair in made])
    return dict(made)


def _listed(values: Any) -> list[Any]:
    if type(values) is not list:
        raise ValueError("not a list")
    return values


def _range(bounds: Any, depth: int, resolve: Resolve | None) -> range:
    made = range(*_decoded(bounds, depth, resolve)[:3])
    if resolve is None and len(made) > MAX_LENGTH:
        raise ValueError("range too long")
    return made


def _decimal(text: Any, *_: Any) -> Any:
    from decimal import Decimal

    made = Decimal(_text(text, MAX_EXPONENT))
    if made.is_finite() and abs(made.adjusted()) > MAX_EXPONENT:
        raise ValueError("exponent out of bounds")
    return made


def _fraction(parts: Any, depth: int, resolve: Resolve | None) -> Any:
    from fractions import Fraction

    numerator, denominator = _decoded(parts, depth, resolve)
    if type(numerator) is not int or type(denominator) is not int:
        raise ValueError("a fraction is two integers")  # Fraction("1e999999999") would not come back
    return Fraction(numerator, denominator)


_TIMES: dict[str, type] = {
    "date": datetime.date,
    "datetime": datetime.datetime,
    "timedelta": datetime.timedelta,
}


def _time(parts: Any, *_: Any) -> Any:
    name, *numbers = _listed(parts)
    if any(type(number) is not int for number in numbers):
        raise ValueError("a time is integers")
    return _TIMES[name](*numbers)


def _reference(payload: Any, _: int, resolve: Resolve | None) -> Any:
    if resolve is None:
        raise ValueError("a reference where none is taken")
    return resolve(payload)


_DECODERS: dict[str, Any] = {
    "i": lambda v, *_: int(_text(v, MAX_DIGITS), 16),
    "t": lambda v, depth, resolve: tuple(_decoded(v, depth, resolve)),
    "s": lambda v, depth, resolve: set(_keys(v, depth, resolve)),
    "z": lambda v, depth, resolve: frozenset(_keys(v, depth, resolve)),
    "d": _mapping,
    "k": lambda v, depth, resolve: dict.fromkeys(_keys(v, depth, resolve)).keys(),
    "v": lambda v, depth, resolve: dict(enumerate(_decoded(v, depth, resolve))).values(),
    "e": lambda v, depth, resolve: _mapping(v, depth, resolve).items(),
    "C": lambda v, depth, resolve: collections.Counter(_mapping(v, depth, resolve)),
    "O": lambda v, depth, resolve: collections.OrderedDict(_mapping(v, depth, resolve)),
    "q": lambda v, depth, resolve: collections.deque(_decoded(v[1], depth, resolve), v[0]),
    "b": lambda v, *_: _text(v).encode("latin-1"),
    "B": lambda v, *_: bytearray(_text(v).encode("latin-1")),
    "c": lambda v, *_: complex(float(v[0]), float(v[1])),
    "r": _range,
    "D": _decimal,
    "F": _fraction,
    "T": _time,
    "o": lambda v, *_: Opaque(_text(v, 80)),
    "h": _reference,
}
