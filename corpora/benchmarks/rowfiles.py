"""Files of rows of any of the usual forms, one file or a folder of them, with the place of every row, and one digest of all.

Parquet; JSON lines, plain, gzip or zstd; JSON that is a list, one object, or objects one after another (Math23K, Math401, and
the folders of MATH, one problem a file). A file is read whole: sets of questions are megabytes. What is no row is given
with its problem, so that a reader may refuse the file or lose the row.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corpora import SchemaError

SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json")
_SPACE = re.compile(r"\s*")
Row = dict[str, Any]


class Found(NamedTuple):
    """One row of a file, or what stands where one should be."""

    file: str
    number: int
    """Of the row, from 1; of JSON lines the line; 0 where the file is one object."""
    row: Row | None
    problem: str = ""

    @property
    def place(self) -> str:
        """Name it for a person."""
        return f"{self.file}, row {self.number}" if self.number else self.file


def rows_of(file: str, content: bytes) -> Iterator[Found]:
    """Read the rows of one file, told apart by its name."""
    if file.endswith(".parquet"):
        yield from _parquet(file, content)
    elif file.endswith(".json"):
        yield from _json(file, _text(file, content))
    else:
        for number, line in enumerate(_text(file, content).split("\n"), 1):
            if line.strip():
                yield _object(file, number, line)


def files_below(root: Path, patterns: Sequence[str] = ()) -> list[tuple[str, Path]]:
    """List the files of rows of a path, a file or a folder, each with its name below the folder, in the order of the names.

    `*` of a pattern stays in a folder, `**/` is any number of folders. A link that leads out of the folder is refused; the
    hub's own cache has links to `blobs` beside its snapshots.
    """
    if root.is_file():
        return [(root.name, root)]
    named = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*") if path.is_file()]
    found = sorted(one for one in named if one[0].endswith(SUFFIXES) and (not patterns or _matches(one[0], patterns)))
    inside, blobs = root.resolve(), root.resolve().parent.parent / "blobs"
    for _, path in found:
        if not path.resolve().is_relative_to(inside) and not path.resolve().is_relative_to(blobs):
            raise SchemaError(f"{path} is a link out of {root}; put the file itself there")
    if not found:
        wanted = " or ".join(patterns) if patterns else f"a name that ends in {', '.join(SUFFIXES)}"
        raise SchemaError(f"{root} has no file with {wanted}; correct the path, or bring the files in their folders")
    return found


def digest(root: Path, patterns: Sequence[str] = ()) -> str:
    """Digest a file (its SHA-256), or a folder: the SHA-256 of what `sha256sum` prints of its files, by name."""
    if root.is_file():
        return hashlib.sha256(root.read_bytes()).hexdigest()
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in files_below(root, patterns))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def cell(row: Row, column: str) -> str | None:
    """Give the text of a column, None where there is none; `Body + Question` joins two, `question | input` takes the first.

    >>> cell({"Body": "Two.", "Question": "How many?"}, "Body + Question"), cell({"input": 5.0}, "question | input")
    ('Two. How many?', '5')
    """
    for choice in column.split("|"):
        values = [row.get(name.strip()) for name in choice.split("+")]
        if all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
            return " ".join(_shown(value) for value in values)
    return None


def _shown(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a path is like one of some patterns, part by part."""
    parts = name.split("/")
    for pattern in patterns:
        wanted = pattern.split("/")
        tail = wanted[1:] if wanted[0] == "**" else wanted
        have = parts[len(parts) - len(tail) :] if wanted[0] == "**" else parts
        if len(have) == len(tail) and all(fnmatch.fnmatchcase(*pair) for pair in zip(have, tail, strict=True)):
            return True
    return False


def _parquet(file: str, content: bytes) -> Iterator[Found]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(f"{file} is not a readable Parquet file ({error}); fetch it again") from None
    yield from (Found(file, number, row) for number, row in enumerate(rows, 1))


def _text(file: str, content: bytes) -> str:
    import pyarrow as pa

    try:
        if file.endswith(".gz"):
            content = gzip.decompress(content)
        elif file.endswith(".zst"):
            content = pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SchemaError(f"{file} is not readable UTF-8 ({error}); fetch it again, or save it as UTF-8") from None


def _object(file: str, number: int, text: str) -> Found:
    try:
        return _found(file, number, json.loads(text))
    except (ValueError, RecursionError) as error:
        return Found(file, number, None, f"is not JSON ({error})")


def _found(file: str, number: int, value: Any) -> Found:
    if isinstance(value, dict):
        return Found(file, number, value)
    return Found(file, number, None, f"is a {type(value).__name__}, wanted an object of named columns")


def _json(file: str, text: str) -> Iterator[Found]:
    """Read a list of objects, or objects one after another with any white space between."""
    decoder, position, number = json.JSONDecoder(), 0, 0
    position = _after_space(text, 0)
    while position < len(text):
        number += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield Found(file, number, None, f"is not JSON ({error}), nor is what follows")
            return
        position = _after_space(text, position)
        if number == 1 and position == len(text):
            values = value if isinstance(value, list) else [value]
            yield from (_found(file, index * isinstance(value, list), one) for index, one in enumerate(values, 1))
            return
        yield _found(file, number, value)


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
