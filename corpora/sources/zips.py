"""Zip files: members in the order of the directory, sizes as declared and as they turn out, both bounded.

The standard library reads the directory whole and decodes a member in steps, never past its declared size; so the size of
the directory is looked at first, and a member that holds more than it declares fails its checksum. Only what is stored or
deflated is read: the other methods are rare in archives of source code and cannot be bounded.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from typing import BinaryIO

from corpora.sources.tars import MAXIMUM_BYTES, MAXIMUM_RATIO, ArchiveError, Member

_DIRECTORY_BYTES = 256 << 20
"""Of the list of members, two million of them."""
_SMALL_BYTES = 1 << 20
"""A member up to this size may be as repetitive as it likes."""
_TAIL_BYTES = 22 + 65_535
_END, _LOCATOR, _END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
    RuntimeError,
)
"""What the standard library raises on archives that are damaged or made to harm."""


class ZipArchive:
    """Members of a zip file; `comment` is its own, where git writes the commit."""

    def __init__(self, raw: BinaryIO) -> None:
        _check_directory(raw)
        self._archive = zipfile.ZipFile(raw)
        self.comment = self._archive.comment[:1000].decode("utf-8", "replace")
        total = sum(info.file_size for info in self._archive.infolist())
        if total > MAXIMUM_BYTES:
            raise ArchiveError("bomb", f"declares {total} bytes, more than {MAXIMUM_BYTES}")

    def __iter__(self) -> Iterator[Member]:
        """List the members; each is read where it lies."""
        for info in self._archive.infolist():
            path, reason = info.orig_filename, _reason(info)
            yield Member(path, reason, info.file_size, partial(self._read, info), _seconds(info), path.endswith("/"))

    def _read(self, info: zipfile.ZipInfo, count: int) -> bytes:
        try:
            with self._archive.open(info) as stream:
                data = stream.read(count)
                if len(data) == info.file_size:
                    stream.read(1)  # reaches the end, where the checksum is compared
                return data
        except DAMAGE as error:
            raise ArchiveError("corrupt", f"{type(error).__name__}: {error}"[:200]) from None


def _reason(info: zipfile.ZipInfo) -> str | None:
    """Say why a member is not read; None for a file or a folder."""
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "not_regular"
    if info.compress_type not in _METHODS:
        return "compression"
    if info.file_size > _SMALL_BYTES and info.file_size > MAXIMUM_RATIO * max(info.compress_size, 1):
        return "bomb"
    return None


def _seconds(info: zipfile.ZipInfo) -> int:
    try:
        return int(datetime(*info.date_time, tzinfo=timezone.utc).timestamp())
    except ValueError:
        return 0


def _check_directory(raw: BinaryIO) -> None:
    """Refuse a directory that would fill the memory; the size is where every reader looks for it."""
    end = raw.seek(0, 2)
    raw.seek(max(0, end - _TAIL_BYTES))
    tail = raw.read(_TAIL_BYTES)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 22:
        raise ArchiveError("corrupt", "no zip file, or a truncated one")
    size = struct.unpack_from("<L", tail, place + 12)[0]
    if tail[place - 20 : place - 16] == _LOCATOR and place >= 20:
        raw.seek(min(struct.unpack_from("<Q", tail, place - 12)[0], end))
        record = raw.read(56)
        if len(record) == 56 and record.startswith(_END_64):
            size = struct.unpack_from("<Q", record, 40)[0]
    raw.seek(0)
    if size > _DIRECTORY_BYTES:
        raise ArchiveError("bomb", f"a list of members of {size} bytes")
