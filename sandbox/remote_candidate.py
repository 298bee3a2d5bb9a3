"""The candidate's end of the conversation: whatever the tests ask for is done here, on the candidate's objects.

Guarantees: none towards the tests' process, which believes nothing of it: the candidate can change all of this. What the
tests ask is one of the operations below.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

from sandbox import values
from sandbox.remote import Peer

_MISSING = object()


class Candidate(Peer):
    """Serves the names of the candidate's module, and everything reached from there."""

    def __init__(self, names: dict[str, Any], send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        super().__init__(send, receive)
        self.names = names
        self._own: dict[str, Callable[..., Any]] = {"global": self._global, "take": self.take}

    def choose(self, operation: str, arguments: list[Any]) -> Callable[..., Any]:  # noqa: ARG002
        """All of them, on anything."""
        return self._own[operation] if operation in self._own else OPERATIONS[operation]

    def offers(self, value: Any) -> bool:  # noqa: ARG002
        """Everything: nothing here is secret."""
        return True

    def sends_by_name(self, builtin: Any) -> bool:
        """The tests compare types; a builtin function stays a function of the candidate's."""
        return isinstance(builtin, type)

    def takes_by_name(self, builtin: Any) -> bool:  # noqa: ARG002
        """The tests may pass `len`."""
        return True

    def _global(self, name: str) -> tuple[bool, Any]:
        found = self.names.get(name, _MISSING)
        return (False, None) if found is _MISSING else (True, found)


def _plain(value: Any) -> Any:
    """The value as the plain type it inherits from."""
    for base in (list, dict, set, bytearray, tuple, str, int, float, complex, bytes, frozenset):
        if isinstance(value, base):
            return values.as_base(base, value)
    raise TypeError("not a plain value")


OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda function, *arguments, **keywords: function(*arguments, **keywords),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "delattr": delattr,
    "delitem": operator.delitem,
    "enter": lambda manager: type(manager).__enter__(manager),
    "exit": lambda manager: type(manager).__exit__(manager, None, None, None),
    "float": float,
    "getattr": getattr,
    "getitem": operator.getitem,
    "int": int,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "iter": iter,
    "len": len,
    "plain": _plain,
    "repr": repr,
    "setattr": setattr,
    "setitem": operator.setitem,
    "str": str,
}
