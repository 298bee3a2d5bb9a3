"""Tar files read in one forward pass, in bounded memory: POSIX ustar, pax and GNU headers, behind gzip, bzip2, xz or zstd.

An own reader, because what strangers packed has to be bounded at each step: the standard library holds a header of any size
in memory, recurses on chains of headers and, in versions that are in use, loops on a negative size. Here a header is at most
1 MB, sizes only go forward, and the bytes that come out are held against those that went in, so that a bomb ends at 64 MB.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

MAXIMUM_BYTES = 32 << 30
"""Of what an archive holds: the working tree of Chromium, with room."""
MAXIMUM_RATIO = 250
"""Bytes out for a byte in. Source code gives 4 to 6, an archive of nothing but repetitive data 100; gzip ends at 1,032."""
_RATIO_FROM_BYTES = 64 << 20
_HEADER_BYTES = 1 << 20
_XZ_BYTES = 256 << 20
"""Memory of the xz decoder; its highest preset takes 65 MB."""
_BLOCK, _CHUNK = 512, 1 << 20


class ArchiveError(ValueError):
    """Why an archive is not read: `reason` of the rejection, with the text as its evidence."""

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(evidence)
        self.reason = reason


@dataclass(frozen=True)
class Member:
    """One entry of an archive; its content can be asked for until the next one is."""

    path: str
    """As the archive has it; surrogates stand for bytes that are not UTF-8."""
    reason: str | None
    """Why it is not read, whatever it is called; None for a file."""
    size: int
    read: Callable[[int], bytes]
    """First bytes of the content."""
    time: int = 0
    """Seconds since 1970."""
    is_folder: bool = False


_KINDS = {
    b"1": "link",
    b"2": "link",
    b"3": "not_regular",
    b"4": "not_regular",
    b"6": "not_regular",
    b"S": "not_regular",
}
"""Type flags of what is no file: links, devices, pipes, sparse files."""
_FILES = (b"0", b"\0", b"7")
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", (b"x", b"X"), b"g"


class TarArchive:
    """Members of a tar file in their order; `comment` is that of its global header, where git writes the commit."""

    def __init__(self, raw: BinaryIO, compression: str) -> None:
        self.comment = ""
        self._stream = _Stream(raw, compression)

    def __iter__(self) -> Iterator[Member]:
        """Read on to each member; what of its content was not asked for is skipped."""
        stream, extra = self._stream, dict[str, str]()
        while block := stream.block():
            fields = _fields(block)
            flag, size = fields["flag"], _size(extra.pop("size", None), fields["size"])
            if flag in (*_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                data = stream.take(size, _HEADER_BYTES)
                if flag == _PAX_GLOBAL:
                    self.comment = _pax(data).get("comment", self.comment)
                elif flag in _PAX:
                    extra |= _pax(data)
                elif flag == _LONG_NAME:
                    extra["path"] = _text(data.partition(b"\0")[0])
                continue
            path = extra.get("path", fields["path"])
            reason = _KINDS.get(flag) or ("not_regular" if any(key.startswith("GNU.sparse") for key in extra) else None)
            folder = flag == b"5" or (flag in _FILES and path.endswith("/"))
            if not folder and flag not in _FILES:
                reason = reason or "not_regular"
            content = _Content(stream, 0 if flag in _WITHOUT_CONTENT else size)
            yield Member(path, reason, size, content.read, fields["time"], folder)
            content.skip()
            extra = {}


class _Content:
    """Of one member: what was read of it, so that the rest and its padding can be skipped."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self._stream, self._left, self._padding = stream, size, -size % _BLOCK

    def read(self, count: int) -> bytes:
        data = self._stream.read(min(count, self._left))
        self._left -= len(data)
        return data

    def skip(self) -> None:
        self._stream.skip(self._left + self._padding)
        self._left = self._padding = 0


class _Stream:
    """The bytes of a tar file, exactly as many as are asked for, and never more than the bounds allow."""

    def __init__(self, raw: BinaryIO, compression: str) -> None:
        self._raw, self._seekable, self._out = raw, not compression, 0
        self._stream = DECODERS[compression](raw)

    def read(self, count: int) -> bytes:
        parts, left = [], count
        while left:
            data = self._stream.read(min(left, _CHUNK))
            if not data:
                raise ArchiveError("corrupt", f"it ends {left} bytes too early")
            parts.append(data)
            left -= len(data)
            self._count(len(data))
        return b"".join(parts)

    def take(self, size: int, most: int) -> bytes:
        """Read a padded content that has to fit in memory."""
        if size > most:
            raise ArchiveError("corrupt", f"a header of {size} bytes")
        return self.read(size + -size % _BLOCK)[:size]

    def skip(self, count: int) -> None:
        if self._seekable and count > _CHUNK:
            self._raw.seek(count - 1, 1)
            count = 1
            # the byte before the next header tells that there is so much
        while count:
            count -= len(self.read(min(count, _CHUNK)))

    def block(self) -> bytes:
        """Read the next header; nothing at the end, which is a block of zeros. Then the rest is read for its checksum."""
        block = self.read(_BLOCK)
        if any(block):
            return block
        while data := self._stream.read(_CHUNK):
            self._count(len(data))
        return b""

    def _count(self, more: int) -> None:
        self._out += more
        if self._out > MAXIMUM_BYTES:
            raise ArchiveError("bomb", f"more than {MAXIMUM_BYTES} bytes")
        if self._out > _RATIO_FROM_BYTES and self._out > MAXIMUM_RATIO * max(self._raw.tell(), 1):
            raise ArchiveError("bomb", f"more than {MAXIMUM_RATIO} bytes for each byte of the archive")


class _Xz:
    """Decoder of xz streams one after another, in bounded memory, which the standard library's file object is not."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._decoder = raw, self._make()

    @staticmethod
    def _make() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_BYTES)

    def read(self, count: int) -> bytes:
        data, pending = b"", b""
        while not data:
            if self._decoder.eof:
                pending = self._decoder.unused_data.lstrip(b"\0") or self._raw.read(_CHUNK).lstrip(b"\0")
                if not pending:
                    return b""
                self._decoder = self._make()
            elif self._decoder.needs_input and not (pending := self._raw.read(_CHUNK)):
                raise EOFError("the xz stream is cut")
            data, pending = self._decoder.decompress(pending, count), b""
        return data


def _zstd(raw: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")


DECODERS: dict[str, Callable[[BinaryIO], Any]] = {
    "": lambda raw: raw,
    "gz": lambda raw: gzip.GzipFile(fileobj=raw),
    "bz2": bz2.BZ2File,
    "xz": _Xz,
    "zst": _zstd,
}


def _fields(block: bytes) -> dict[str, Any]:
    """Read a header; one whose checksum is wrong is damage."""
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
        raise ArchiveError("corrupt", "a header with a wrong checksum")
    path = _text(block[:100].partition(b"\0")[0])
    prefix = _text(block[345:500].partition(b"\0")[0]) if block[257:263] == b"ustar\0" else ""
    return {
        "path": f"{prefix}/{path}" if prefix else path,
        "size": _number(block[124:136]),
        "time": max(_number(block[136:148]), 0),
        "flag": block[156:157],
    }


def _number(field: bytes) -> int:
    """Read octal digits, or GNU's binary form of large numbers; -1 for what is neither."""
    if field[0] & 0x80:
        return -1 if field[0] == 0xFF else int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.replace(b"\0", b" ").split()
    return int(digits[0], 8) if digits and not digits[0].strip(b"01234567") else 0 if not digits else -1


def _size(extended: str | None, plain: int) -> int:
    if extended is not None:
        plain = int(extended) if extended.isdigit() and len(extended) < 20 else -1
    if plain < 0:
        raise ArchiveError("corrupt", "a size that is no number")
    return plain


def _pax(data: bytes) -> dict[str, str]:
    """Read records of the form `length key=value`, each by its length."""
    found, start = {}, 0
    while start < len(data) and data[start]:
        digits = data[start : start + 20].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = data[start : start + length]
        if length <= len(digits) + 1 or not record.endswith(b"\n"):
            raise ArchiveError("corrupt", "a pax header that cannot be read")
        key, _, value = record[len(digits) + 1 : -1].partition(b"=")
        found[_text(key)] = _text(value)
        start += length
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
