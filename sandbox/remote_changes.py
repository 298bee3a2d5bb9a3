"""What a call does to its arguments: found out by the callee, done again for the caller.

Guarantees: a container that is changed stays the object it is, and where a changed one holds another of the arguments' own
containers it holds that one. Costs: a shallow copy of each before the call. Leaves out: containers inside sets, which there
are none of, and the elements of a deque.
"""

from __future__ import annotations

import collections
from typing import Any

CHANGEABLE = (list, dict, set, bytearray, collections.deque)


class Same:
    """Stands for a changed argument: the other side has its own."""

    def __init__(self, index: int) -> None:
        self.index = index


def items_of(container: Any) -> list[Any]:
    """Its elements; of a dict, keys and values in turn."""
    return [part for pair in container.items() for part in pair] if isinstance(container, dict) else list(container)


def known_by_id(parts: list[Any]) -> dict[int, Same]:
    """What stands for each."""
    return {id(part): Same(index) for index, part in enumerate(parts)}


def changes(parts: list[Any], before: list[Any]) -> list[Any]:
    """Those that hold other objects than before, as (index, items)."""
    known = known_by_id(parts)
    found = []
    for index, (part, old) in enumerate(zip(parts, before, strict=True)):
        items = items_of(part)
        if len(items) != len(old) or any(new is not then for new, then in zip(items, old, strict=True)):
            found.append([index, [known.get(id(item), item) for item in items]])
    return found


def change(container: Any, items: list[Any]) -> None:
    """Make a container hold these elements."""
    if isinstance(container, dict):
        pairs = dict(zip(items[::2], items[1::2], strict=True))
        container.clear()
        container.update(pairs)
    elif isinstance(container, set):
        container.clear()
        container.update(items)
    elif isinstance(container, collections.deque):
        container.clear()
        container.extend(items)
    else:
        container[:] = items
