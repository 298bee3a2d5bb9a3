"""JSON lines, plain, gzip or zstd: read in bounded memory, whatever a line holds.

A line longer than what a file of the largest size can take, written with escapes, is skipped without being held. A line that
is no JSON object, or whose values have other types than the mapping asks for, is given with its problem, so that one broken
line costs one row. A file whose first line is no JSON object is no file of JSON lines, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from corpora import SchemaError
from corpora.sources.tables import BYTES, EVENTS, INTEGERS, NAMES, SEPARATOR, Input
from corpora.sources.threads import thread_text

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 20
_BATCH_BYTES = 16 << 20
_BATCH_ROWS = 4096
_CODECS = {".gz": "gzip", ".zst": "zstd"}
LONGEST_ESCAPE = 6
r"""Bytes of `\u0000`, which is one byte of text."""
_BESIDE = 1 << 20
"""Bytes of a line beside its texts."""
_MAXIMUM_INTEGER = 1 << 62


def batches(source: Input, names: tuple[str, ...], max_bytes: int) -> Iterator[pa.Table]:
    """Read a file as tables of some megabytes."""
    import pyarrow as pa

    names = tuple(name for name in names if getattr(source.dataset.columns, name))
    limit = 3 * LONGEST_ESCAPE * max_bytes + _BESIDE  # a commit has two files and a message
    rows: list[dict[str, Any]] = []
    size = 0
    try:
        with source.reading(), source.open() as raw, _decompressed(source, raw) as stream:
            for number, line, length in _lines(stream, limit):
                if line is not None and not line.strip():
                    continue
                rows.append({"row": number, **_row(source, number, line, length, limit, names)})
                size += len(line or b"")
                if size > _BATCH_BYTES or len(rows) >= _BATCH_ROWS:
                    yield _table(rows, names)
                    rows, size = [], 0
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(f"{source} cannot be read to its end ({error}); fetch it again") from None
    if rows:
        yield _table(rows, names)


def _decompressed(source: Input, raw: Any) -> Any:
    import pyarrow as pa

    codec = next((codec for suffix, codec in _CODECS.items() if source.path.endswith(suffix)), None)
    stream = pa.PythonFile(raw, mode="r")
    return pa.CompressedInputStream(stream, codec) if codec else stream


def _lines(stream: Any, limit: int) -> Iterator[tuple[int, bytes | None, int]]:
    """Cut a stream into lines: number, text without its end, length; None for the text of one over the limit."""
    number, held, length = 0, bytearray(), 0
    while block := stream.read(_BLOCK):
        *whole, rest = bytes(block).split(b"\n")
        for piece in whole:
            number, length = number + 1, length + len(piece)
            yield number, bytes(held) + piece if length <= limit else None, length
            held, length = bytearray(), 0
        length += len(rest)
        held = held + rest if length <= limit else bytearray()
    if length:
        yield number + 1, bytes(held) if length <= limit else None, length


def _row(
    source: Input, number: int, line: bytes | None, length: int, limit: int, names: tuple[str, ...]
) -> dict[str, Any]:
    """Read one line: the columns named, or its problem."""
    if line is None:
        return {"problem": "line_bytes", "evidence": f"{length} bytes, at most {limit}"}
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        value, reason = None, f"{error}"[:200]
    else:
        reason = f"a {type(value).__name__}"
    if not isinstance(value, dict):
        if number == 1:
            raise SchemaError(f"{source}:1 is no JSON object ({reason}); give files with one object a line")
        return {"problem": "not_json", "evidence": reason}
    found: dict[str, Any] = {}
    for name in names:
        column = getattr(source.dataset.columns, name)
        cell = _cell(value, column)
        if not _fits(name, cell):
            return {"problem": "wrong_type", "evidence": f"{column} is a {type(cell).__name__}"}
        found["text" if name == EVENTS else name] = _shaped(name, cell)
    return found


def _cell(value: dict[str, Any], column: str) -> Any:
    """Follow dots into nested objects; a key that has dots comes first."""
    if column in value:
        return value[column]
    cell: Any = value
    for key in column.split("."):
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cell


def _fits(name: str, cell: Any) -> bool:
    if cell is None:
        return True
    if isinstance(cell, bool):
        return False
    if name == EVENTS:
        return isinstance(cell, list)
    if name in INTEGERS:
        return isinstance(cell, int | float) and abs(cell) < _MAXIMUM_INTEGER  # also: no NaN
    if name == "license" and isinstance(cell, list):
        return all(isinstance(one, str) for one in cell)
    return isinstance(cell, str) or (name in NAMES and isinstance(cell, int))


def _shaped(name: str, cell: Any) -> Any:
    if cell is None:
        return None
    if name in INTEGERS:
        return int(cell)
    if name == EVENTS:
        return thread_text(cell).encode("utf-8", "surrogatepass")
    if isinstance(cell, list):
        return SEPARATOR.join(_utf8(one) for one in cell)
    if name in BYTES:
        return cell.encode("utf-8", "surrogatepass")  # a lone surrogate is then no UTF-8, and is said to be none
    return _utf8(str(cell))


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa

    def kind(name: str) -> pa.DataType:
        if name in INTEGERS:
            return pa.int64()
        return pa.large_binary() if name in BYTES else pa.string()

    names = tuple("text" if name == EVENTS else name for name in names)
    fields = [("row", pa.int64()), *((name, kind(name)) for name in names), ("problem", pa.string())]
    return pa.Table.from_pylist(rows, pa.schema([*fields, ("evidence", pa.string())]))
