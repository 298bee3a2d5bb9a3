"""Two processes that call each other's functions: plain values are copied, other objects go by reference.

Guarantees: what arrives is decoded by sandbox.values alone. Arguments that the callee changed are changed for the
caller, whatever names they have there; an exception arrives as the builtin it is or inherits from. Costs: one frame
there and one back an operation. Leaves out: containers that were returned, not passed, are copies.

A frame is one letter and one packed value. "?" (operation, arguments, keywords) asks; "=" (result, changes) and
"!" (exception, changes) answer. One side asks and waits; while it waits it answers what the other asks meanwhile.
"""

from __future__ import annotations

import builtins
import collections
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sandbox import values
from sandbox.remote_changes import CHANGEABLE, Same, change, changes, items_of, known_by_id
from sandbox.remote_errors import builtin_exception, builtin_name, rebuilt, taken_apart
from sandbox.remote_objects import REMOTE, VALUED, Kind, Remote, number_of

MAX_FRAME = 16 << 20  # bytes; larger ones are refused by who makes them and by who reads them
_TURNS = frozenset({b"?", b"=", b"!"})
_BASES = ("", *VALUED, "list", "dict", "set", "bytearray")
_BY_VALUE = frozenset({*CHANGEABLE, tuple, collections.Counter, collections.OrderedDict})
_VALUED_TYPES = frozenset(VALUED.values())
values.REFERRED.update({Remote, Same}, _VALUED_TYPES)
_ARRAYS = re.compile(r"[<>|=][biufc]\d{1,2}")  # numpy's notation of numbers and truth values


class Peer:
    """One end of the conversation. What the two ends allow each other is in their subclasses."""

    def __init__(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        self._send = send
        self._receive = receive
        self._objects: list[Any] = []  # what the other side has a reference to
        self._numbers: dict[int, int] = {}  # by id: which it is
        self._remotes: dict[int, Any] = {}  # what we have a reference to
        self._classes: dict[type, int] = {}  # the exceptions among them
        self._pending: dict[int, BaseException] = {}  # by id of an iterator: see take
        self._lock = threading.RLock()  # a thread of the candidate may call back
        self.refusal: Exception | None = None  # once set, no verdict can be had
        self.raised: BaseException | None = None  # the last exception that came from the other side
        self.num_calls = self.num_requests = 0

    def choose(self, operation: str, arguments: list[Any]) -> Callable[..., Any]:
        """The function for an operation the other side asks for on these arguments; raises for one it may not have."""
        raise NotImplementedError

    def offers(self, value: Any) -> bool:
        """Whether an object of this side may be referred to by the other."""
        raise NotImplementedError

    def sends_by_name(self, builtin: Any) -> bool:
        """Whether a builtin of this side is the same over there."""
        raise NotImplementedError

    def takes_by_name(self, builtin: Any) -> bool:
        """Whether a builtin that the other side names is taken for ours."""
        raise NotImplementedError

    def refuse(self, reason: str) -> Exception:
        """See Link."""
        return self._refused(values.NotComparable(reason))

    def _refused(self, refusal: Exception) -> Exception:
        self.refusal = self.refusal or refusal
        return refusal

    def take(self, iterator: Iterator[Any], count: int) -> list[Any]:
        """The next elements; at the end none. What the iterator raises comes after what it yielded."""
        if id(iterator) in self._pending:
            raise self._pending.pop(id(iterator))
        taken: list[Any] = []
        try:
            for item in itertools.islice(iterator, count):  # not extend: it would lose them to the exception
                taken.append(item)  # noqa: PERF402
        except BaseException as error:
            if not taken:
                raise
            self._pending[id(iterator)] = error
        return taken

    def has(self, value: object) -> bool:
        """Whether the other side has a reference to this very object."""
        return id(value) in self._numbers

    # asking

    def request(self, operation: str, *arguments: Any) -> Any:
        """See Link. The arguments of a call come as (function, arguments, keywords)."""
        keywords: dict[str, Any] = {}
        if operation == "call":
            function, arguments, keywords = arguments
            self.num_calls += 1
            arguments = (function, *arguments)
        self.num_requests += 1
        parts = list(self._changeable([*arguments, *keywords.values()]))
        with self._lock:
            self._say(b"?", [operation, list(arguments), keywords])
            while True:
                kind, payload = self._hear()
                if kind == b"?":
                    self._serve(payload)
                else:
                    return self._finish(kind, payload, parts)

    def _finish(self, kind: bytes, payload: Any, parts: list[Any]) -> Any:
        try:
            result, changed = payload
            for index, items in changed:
                change(parts[index], [parts[item.index] if type(item) is Same else item for item in items])
            if kind == b"=":
                return parts[result.index] if type(result) is Same else result
            self.raised = rebuilt(*result)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._refused(values.BadValue(f"not an answer: {error!r:.200}")) from None
        raise self.raised

    # answering

    def serve(self, frame: bytes) -> None:
        """Answer one question that came outside of a request of ours."""
        try:
            payload = values.unpack(frame[1:], self._resolve)
        except values.BadValue as error:
            self._say(b"!", [taken_apart(ValueError(str(error))), []])
        else:
            self._serve(payload)

    def _serve(self, payload: Any) -> None:
        parts: list[Any] = []
        before: list[Any] = []
        try:
            operation, arguments, keywords = payload
            parts = list(self._changeable([*arguments, *keywords.values()]))
            before = [items_of(part) for part in parts]
            kind, result = b"=", self.choose(operation, arguments)(*arguments, **keywords)
        except BaseException as error:  # noqa: BLE001 - whatever the callee raises, SystemExit too
            kind, result = b"!", taken_apart(error)
        try:
            self._say(kind, [known_by_id(parts).get(id(result), result), changes(parts, before)])
        except Exception as error:  # noqa: BLE001 - a result that cannot be encoded, or a class that makes it so
            self._say(b"!", [taken_apart(error), []])

    # the wire

    def _say(self, kind: bytes, payload: Any) -> None:
        frame = kind + values.pack(payload, self._refer)
        if len(frame) > MAX_FRAME:
            raise ValueError(f"a value larger than {MAX_FRAME} bytes")
        self._send(frame)

    def _hear(self) -> tuple[bytes, Any]:
        frame = self._receive()
        try:
            if frame[:1] not in _TURNS:
                raise values.BadValue("neither a question nor an answer")
            payload = values.unpack(frame[1:], self._resolve)
        except values.BadValue as error:
            raise self._refused(error) from None
        return frame[:1], payload

    def _refer(self, value: Any, base: type | None, depth: int) -> Any:
        """What is not plain -> a reference to it, ours or theirs coming home; or its plain value alone."""
        known = self._refer_to_known(value)
        if known is not None:
            return {"h": known}
        if not self.offers(value):
            if base is None:
                raise self.refuse(f"the tests pass an object of class {type(value).__name__}")
            return values.encode(values.as_base(base, value), depth, self._refer)
        plain = None
        if base is not None and base.__name__ in VALUED:
            plain = values.encode(values.as_base(base, value), depth, self._refer)
        return {"h": ["mine", self._number(value), self._kind(value, base), plain]}

    def _refer_to_known(self, value: Any) -> list[Any] | None:
        kind = type(value)
        if kind is Remote:
            return ["yours", number_of(value)]
        if kind is Same:
            return ["same", value.index]
        if kind in _VALUED_TYPES:
            return ["yours", number_of(value.__dict__[REMOTE])]
        if isinstance(value, type) and value in self._classes:
            return ["yours", self._classes[value]]
        if kind.__module__ == "numpy" and kind.__name__ == "ndarray" and _ARRAYS.fullmatch(value.dtype.str):
            return ["array", value.dtype.str, list(value.shape), value.tobytes().decode("latin-1")]
        name = getattr(value, "__name__", None) if callable(value) else None
        if type(name) is str and getattr(builtins, name, None) is value and self.sends_by_name(value):
            return ["builtin", name]
        return None

    def _kind(self, value: Any, base: type | None) -> list[Any]:
        if isinstance(value, type) and issubclass(value, BaseException):
            return [value.__name__, builtin_name(value)]
        kind = Kind.of(value, base)
        return list(kind)

    def _number(self, value: Any) -> int:
        number = self._numbers.setdefault(id(value), len(self._objects))
        if number == len(self._objects):
            self._objects.append(value)
        return number

    def _resolve(self, payload: Any) -> Any:
        """A reference -> the object it means, or what stands for it. Any error is a BadValue."""
        tag, first, *rest = payload
        if tag == "same":
            return Same(first)
        if tag == "array":
            return _array(first, *rest)
        if tag == "builtin":
            found = getattr(builtins, first)
            if not self.takes_by_name(found):
                raise ValueError("a builtin that is not taken by name")
            return found
        if type(first) is not int or first < 0:
            raise ValueError("not a number of an object")
        if tag == "yours":
            return self._objects[first]
        if first not in self._remotes:
            self._remotes[first] = self._stand_in(first, *rest)
        return self._remotes[first]

    def _stand_in(self, number: int, kind: list[Any], plain: Any) -> Any:
        if len(kind) == 2:
            made = type(str(kind[0]), (builtin_exception(kind[1]),), {})
            self._classes[made] = number
            return made
        if type(kind[0]) is not str or kind[3] not in _BASES:
            raise ValueError("not a kind of object")
        remote = Remote(self, number, Kind(*kind))
        if plain is None:
            return remote
        value = values.decode(plain, self._resolve)
        valued: Any = VALUED[type(value).__name__](value)
        valued.__dict__[REMOTE] = remote
        return valued

    def _changeable(self, arguments: Any) -> Iterator[Any]:
        """The containers among arguments that a callee may change, in one order on both sides."""
        for value in arguments:
            kind = type(value)
            if kind in values.ATOMS:
                continue
            if kind not in _BY_VALUE and (kind is Remote or kind in _VALUED_TYPES or self.offers(value)):
                continue  # it crosses by reference
            if issubclass(kind, CHANGEABLE):
                yield value
            if issubclass(kind, dict):
                yield from self._changeable(value.values())
            elif issubclass(kind, (list, tuple)):
                yield from self._changeable(value)


def _array(dtype: Any, shape: Any, data: Any) -> Any:
    if not _ARRAYS.fullmatch(dtype):
        raise ValueError("not an array of numbers")
    import numpy

    return numpy.frombuffer(data.encode("latin-1"), dtype).reshape(shape).copy()
