"""Canonical JSON of a recipe value, and its digest: equal values give equal digests in every process.

Only values with one stable form are accepted: dataclasses, enums, tuples, lists, string-keyed mappings, str, int,
float, bool and None. Anything else is refused instead of falling back to its repr, since a repr may hold an address.
"""

import dataclasses
import enum
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

DIGEST_LENGTH = 12
"""Hex digits of a fingerprint: 48 bits, a collision among a million directories has odds of one in 500."""


def canonical(value: Any, where: str = "value") -> Any:
    """Turn a recipe value into plain JSON data; `where` is its path, for the message of a refusal.

    >>> canonical((1, "a", None))
    [1, 'a', None]
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, enum.Enum):
        return canonical(value.value, where)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}: a fingerprint needs finite numbers")
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: canonical(getattr(value, name), f"{where}.{name}") for name in names}
    if isinstance(value, list | tuple):
        return [canonical(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, where): canonical(item, f"{where}[{key!r}]") for key, item in value.items()}
    raise ValueError(
        f"{where} is a {type(value).__name__}, which has no canonical form; use a dataclass or a plain value"
    )


def dumps(value: Any) -> str:
    """Serialize to the one canonical JSON text: sorted keys, no spaces."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """Digest the canonical JSON of `value`: `DIGEST_LENGTH` hex digits of its SHA-256."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()[:DIGEST_LENGTH]


def difference(old: Any, new: Any, where: str = "") -> list[str]:
    """List the fields that differ between two canonical values, one line each.

    >>> difference({"config": {"jaccard": 0.7}}, {"config": {"jaccard": 0.85}})
    ['config.jaccard: 0.7 -> 0.85']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for key in sorted(old.keys() | new.keys()):
            path = f"{where}.{key}" if where else str(key)
            if key not in old:
                lines.append(f"{path}: added, {_short(new[key])}")
            elif key not in new:
                lines.append(f"{path}: removed, was {_short(old[key])}")
            else:
                lines.extend(difference(old[key], new[key], path))
        return lines
    return [] if old == new else [f"{where}: {_short(old)} -> {_short(new)}"]


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{where} has the key {key!r}: keys must be strings")
    return key


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
