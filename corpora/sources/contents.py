"""Texts that a table only names: read one by one from a folder or an object store, plain or gzip, in bounded memory.

Software Heritage keeps a file's bytes as `s3://softwareheritage/content/{sha1}`, gzip. A name that is not there is a
rejection; a store that does not answer ends the run, which goes on from the files that were read. Other stores than folders
come through fsspec, with the package of the store (`s3fs`), which is not a dependency.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PLACE = "{id}"
_THREADS = 32
"""Requests under way at once to a store: it answers in some 50 ms."""
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
_MARK = "0-id-0"
"""Stands for a name where an address is taken apart."""
_GZIP = b"\x1f\x8b"
_OPTIONS = zlib.MAX_WBITS | 16

Content = bytes | dict[str, Any]
"""What was found, or the columns of its rejection."""


def address(place: str) -> str:
    """Complete the place that luigi.cfg names: a folder holds one file a name.

    >>> address("s3://softwareheritage/content/{id}"), address("~/contents")
    ('s3://softwareheritage/content/{id}', '~/contents/{id}')
    """
    return place if PLACE in place else f"{place.rstrip('/')}/{PLACE}"


def fetch(place: str, names: Sequence[str | None], max_bytes: int) -> list[Content]:
    """Read the contents of some rows, in their order."""
    read = _store(place, max_bytes) if "://" in place else _folder(place, max_bytes)

    def one(name: str | None) -> Content:
        if name is None or not _NAME.fullmatch(name):
            return {
                "reason": "content_missing",
                "evidence": "no name" if name is None else f"a name like {name[:60]!r}",
            }
        try:
            data = read(name)
        except FileNotFoundError:
            return {"reason": "content_missing", "evidence": name}
        return unpack(data, max_bytes) if data.startswith(_GZIP) else _bounded(data, max_bytes)

    if "://" not in place:
        return [one(name) for name in names]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(one, names))


def unpack(data: bytes, max_bytes: int) -> Content:
    """Unpack gzip up to a limit: what is larger is not held, so that no bomb is either."""
    stream = zlib.decompressobj(_OPTIONS)
    try:
        found = stream.decompress(data, max_bytes + 1)
    except zlib.error as error:
        return {"reason": "corrupt", "evidence": f"gzip: {error}"}
    if len(found) <= max_bytes and not stream.eof:
        return {"reason": "corrupt", "evidence": "gzip: shorter than it declares"}
    return _bounded(found, max_bytes)


def _bounded(data: bytes, max_bytes: int) -> Content:
    if len(data) > max_bytes:
        return {"reason": "file_bytes", "value": float(len(data)), "bound": float(max_bytes), "evidence": "at least"}
    return data


def _folder(place: str, max_bytes: int) -> Callable[[str], bytes]:
    where = Path(place).expanduser()
    if not where.parent.is_dir():
        raise ValueError(f"contents are asked for in {where.parent}, which is no folder; correct luigi.cfg [sources]")

    def read(name: str) -> bytes:
        with Path(str(where).replace(PLACE, name)).open("rb") as stream:
            return stream.read(2 * max_bytes + (1 << 16))  # gzip is never that much larger than its content

    return read


def _store(place: str, max_bytes: int) -> Callable[[str], bytes]:
    import fsspec

    try:
        files, pattern = fsspec.core.url_to_fs(place.replace(PLACE, _MARK))
    except (ImportError, ValueError) as error:
        raise ValueError(f"contents are asked for at {place}: {error}; install it, or name a folder of them") from None

    def read(name: str) -> bytes:
        try:
            return bytes(files.cat_file(pattern.replace(_MARK, name), start=0, end=2 * max_bytes + (1 << 16)))
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001  # each store has errors of its own
            raise ValueError(
                f"{place} does not give {name} ({type(error).__name__}: {error}); credentials and network are the "
                "store's (for Software Heritage without an account: FSSPEC_S3_ANON=true); run the same command again "
                "then: files that were read are kept"
            ) from None

    return read
