"""What stands for an object of the other side: attributes, items, iteration and calls cross, comparing does not.

Guarantees: nothing that a check compares with is ever sent: `==`, ordering, arithmetic and truth are answered here or
refused (NotComparable), never by the object's class over there. `==` is identity for an object whose class does not
define it, and the plain value for a subclass of a plain type. Leaves out: `isinstance` with a class of one's own,
inheriting from the other side's class, and coroutines.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

MAX_TAKE = 512  # elements of an iterator fetched at one time
REMOTE = "__remote__"  # where a plain value keeps the object it is, too
_READABLE = frozenset({"__name__", "__qualname__", "__doc__", "__dict__"})


class Link(Protocol):
    """The conversation an object came by."""

    def request(self, operation: str, *arguments: Any) -> Any:
        """Have an operation done over there."""

    def refuse(self, reason: str) -> Exception:
        """Note, for good, that a check needs what cannot be had."""


class Kind(NamedTuple):
    """What the other side says of an object; a lie harms nobody else."""

    name: str
    is_equal_by_identity: bool
    truth: str  # "always", "length", or "own"
    base: str  # the plain type it inherits from, or ""

    @classmethod
    def of(cls, value: object, base: type | None) -> Kind:
        """Describe an object of this side."""
        kind = type(value)
        truth = "own" if hasattr(kind, "__bool__") else "length" if hasattr(kind, "__len__") else "always"
        return cls(str(kind.__name__)[:80], kind.__eq__ is object.__eq__, truth, base.__name__ if base else "")


class Remote:
    """One object of the other side."""

    __slots__ = ("__buffer", "__kind", "__link", "__number")

    def __init__(self, link: Link, number: int, kind: Kind) -> None:
        put = object.__setattr__
        put(self, "_Remote__link", link)
        put(self, "_Remote__number", number)
        put(self, "_Remote__kind", kind)
        put(self, "_Remote__buffer", deque())

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """For isinstance: an object whose class inherits from list is one here, too."""
        return getattr(builtins, self.__kind.base) if self.__kind.base else Remote

    def __refuse(self, what: str) -> Exception:
        refusal: Exception = self.__link.refuse(f"{what} would be decided by class {self.__kind.name} of the candidate")
        return refusal

    def __plain(self, other: object, what: str) -> tuple[Any, Any]:
        """Both as plain values, where this one has one."""
        if not self.__kind.base:
            raise self.__refuse(what)
        if type(other) is Remote:
            if not other.__kind.base:
                raise other.__refuse(what)
            other = other.__link.request("plain", other)
        return self.__link.request("plain", self), other

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not self.__kind.base and self.__kind.is_equal_by_identity and (other is None or type(other) is Remote):
            return False
        mine, theirs = self.__plain(other, "==")
        return bool(mine == theirs)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: object) -> bool:
        mine, theirs = self.__plain(other, "<")
        return bool(mine < theirs)

    def __gt__(self, other: object) -> bool:
        mine, theirs = self.__plain(other, ">")
        return bool(mine > theirs)

    def __le__(self, other: object) -> bool:
        mine, theirs = self.__plain(other, "<=")
        return bool(mine <= theirs)

    def __ge__(self, other: object) -> bool:
        mine, theirs = self.__plain(other, ">=")
        return bool(mine >= theirs)

    def __hash__(self) -> int:
        if not self.__kind.is_equal_by_identity:
            raise self.__refuse("the hash")
        return object.__hash__(self)

    def __bool__(self) -> bool:
        if self.__kind.truth == "own":
            raise self.__refuse("truth")
        return self.__kind.truth == "always" or len(self) > 0

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__" and name not in _READABLE:
            raise AttributeError(name)
        return self.__link.request("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__link.request("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__link.request("delattr", self, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it, over there."""
        return self.__link.request("call", self, arguments, keywords)

    def __getitem__(self, key: Any) -> Any:
        return self.__link.request("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__link.request("setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self.__link.request("delitem", self, key)

    def __len__(self) -> int:
        length: int = self.__link.request("len", self)
        return length

    def __iter__(self) -> Iterator[Any]:
        iterator = self.__link.request("iter", self)
        return iterator.__run() if type(iterator) is Remote else iter(iterator)

    def __run(self) -> Iterator[Any]:
        count = 1
        while self.__buffer or self.__take(count):
            yield self.__buffer.popleft()
            count = min(2 * count, MAX_TAKE)

    def __next__(self) -> Any:
        if not self.__buffer and not self.__take(1):
            raise StopIteration
        return self.__buffer.popleft()

    def __take(self, count: int) -> bool:
        """Fetch some elements; False at the end."""
        self.__buffer.extend(self.__link.request("take", self, count))
        return bool(self.__buffer)

    def __copy__(self) -> Any:
        return self.__link.request("copy", self)

    def __deepcopy__(self, _: object) -> Any:
        return self.__link.request("deepcopy", self)

    def __enter__(self) -> Any:
        return self.__link.request("enter", self)

    def __exit__(self, *_: object) -> None:
        self.__link.request("exit", self)

    def __str__(self) -> str:
        text: str = self.__link.request("str", self)
        return text

    def __repr__(self) -> str:
        text: str = self.__link.request("repr", self)
        return text

    def __float__(self) -> float:
        number: float = self.__link.request("float", self)
        return number

    def __int__(self) -> int:
        number: int = self.__link.request("int", self)
        return number

    def __instancecheck__(self, instance: object) -> bool:
        return self.__link.request("isinstance", instance, self) is True

    def __subclasscheck__(self, subclass: object) -> bool:
        return self.__link.request("issubclass", subclass, self) is True

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        raise self.__link.refuse(f"the tests inherit from {self.__kind.name} of the candidate")


def number_of(remote: Remote) -> int:
    """The number by which the other side knows it."""
    number: int = object.__getattribute__(remote, "_Remote__number")
    return number


def _valued(base: type) -> type:
    """A subclass of an immutable plain type whose further attributes are the other side's: a namedtuple's fields."""

    def forward(self: Any, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return getattr(self.__dict__[REMOTE], name)

    return type(base.__name__, (base,), {"__getattr__": forward})


VALUED = {base.__name__: _valued(base) for base in (int, float, complex, str, bytes, tuple, frozenset)}
"""By plain type: a value of it that is an object of the other side, too."""
