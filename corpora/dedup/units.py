"""What names a unit and decides which survives: ids of 16 bytes; split, stars and date in one number; a number of the origin."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import SchemaError, records

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_NO_STARS, _NO_DATE = 2**31 - 1, 2**32 - 1
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?)?"
    r" ?(?:Z|UTC|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?",
    re.ASCII,
)
ORIGIN = ["source", "repository"]
"""Columns that name a repository."""
FILE, REPOSITORY = "file", "repository"


def units_of(table: pa.Table, unit: str) -> npt.NDArray[np.int64]:
    """Number the units of a shard in the order of their first rows; give the number of each row's."""
    import numpy as np

    if unit == FILE:
        return np.arange(len(table))
    seen: dict[tuple[str, str], int] = {}
    pairs = zip(*(table[name].to_pylist() for name in ORIGIN), strict=True)
    return np.array([seen.setdefault(pair, len(seen)) for pair in pairs], np.int64)


def origins_of(table: pa.Table) -> npt.NDArray[np.uint64]:
    """Number the repository of each row by a digest of 8 bytes: what is otherwise equal falls to one of two repositories.

    Neither name nor place has a part in it, so no project is preferred.
    """
    import numpy as np

    numbers: dict[tuple[str, ...], int] = {}
    rows = zip(*(table[name].to_pylist() for name in ORIGIN), strict=True)
    return np.fromiter(
        (numbers[row] if row in numbers else numbers.setdefault(row, _number(row)) for row in rows),
        np.uint64,
        len(table),
    )


def _number(origin: tuple[str, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(origin).encode(), digest_size=8).digest(), "big")


def ids_of(table: pa.Table, where: Path) -> npt.NDArray[np.uint8]:
    """Give the ids of documents as 16 bytes each."""
    import numpy as np

    ids = table["id"].to_pylist()
    try:
        values = bytes.fromhex("".join(ids))
    except ValueError:
        values = b""
    if len(values) != 16 * len(ids) or any(len(one) != 32 for one in ids):
        bad = next((row for row, one in enumerate(ids) if not _is_id(one)), 0)
        raise SchemaError(f"{where} row {bad}: id {ids[bad]!r} is not 32 hex digits; collect the documents again")
    return np.frombuffer(values, np.uint8).reshape(-1, 16)


def halves(ids: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Give ids of 16 bytes as two numbers that order as they do, the lesser half first, as `lexsort` wants its keys."""
    import numpy as np

    both = np.ascontiguousarray(ids).view(">u8").astype(np.uint64)
    return both[:, 1], both[:, 0]


def least_ids(ids: npt.NDArray[np.uint8], units: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Give the least id of each unit's documents, which names the unit."""
    import numpy as np

    order = np.lexsort([*halves(ids), units])
    return ids[order[np.unique(units[order], return_index=True)[1]]]


def hex_ids(ids: npt.NDArray[np.uint8]) -> pa.Array:
    """Write ids of 16 bytes as text."""
    import numpy as np
    import pyarrow as pa

    data, offsets = pa.py_buffer(ids.tobytes().hex().encode()), np.arange(len(ids) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets.tobytes()), data)


def priority(split: str, stars: int | None, date: str | None) -> int:
    """Number a document for the choice of a survivor: 1 bit for the split, 31 for the stars, 32 for the date in seconds.

    Held-out before training, more stars before fewer, none last, the older before the newer, none last.

    >>> priority("heldout", 0, None) < priority("train", 9, "2020-01-01") < priority("train", 9, "2020-01-01T00:00:01Z")
    True
    """
    fame = _NO_STARS if stars is None else _NO_STARS - 1 - min(max(stars, 0), _NO_STARS - 1)
    return ((split != records.HELDOUT) << 63) | (fame << 32) | _seconds(date)


def _seconds(date: str | None) -> int:
    """Give seconds since 1970; a date without a zone is in UTC, and one that is not ISO 8601 counts as none.

    By a pattern, because what Python's own reader takes differs from release to release.
    """
    match = _DATE.fullmatch(date or "")
    if match is None:
        return _NO_DATE
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    ahead = (match["sign"] == "-" or -1) * (int(match["hours"] or 0) * 3600 + int(match["minutes"] or 0) * 60)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return _NO_DATE
    return min(max(int(moment.timestamp()) + ahead, 0), _NO_DATE - 1)


def _is_id(text: str) -> bool:
    return len(text) == 32 and all(mark in "0123456789abcdef" for mark in text)
