"""Compiled loops over text: words, MinHash signatures, rolling n-grams, line and letter counts.

All of them live in this one file because numba's cache of compiled code watches only the file of the function itself: a
callee changed elsewhere would go unseen. Each works on the raw UTF-8 of an Arrow column, without Python objects. A word
is a run of ASCII letters, digits, underscores, and bytes from 0x80 up. Compiling costs seconds, once a machine.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if not os.access(Path(__file__).parent, os.W_OK) and not os.access(Path.home(), os.W_OK):
    # numba refuses to start without a place for its cache; a fresh folder is private, a known name in /tmp is not
    os.environ.setdefault("NUMBA_CACHE_DIR", tempfile.mkdtemp(prefix="corpora-numba-"))

import numba as nb
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

_u64 = np.uint64
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, the golden ratio in 64 bits: base of the rolling polynomial
_FNV_START, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_NAME = np.uint64(0xD1B54A32D192ED03)
"""Hash of every name that a renaming may change."""
CLOSERS = tuple(np.uint64(byte) * _FNV_PRIME for byte in b")]}")
"""Hashes of the marks that a looked-up run of code ends in."""

F = TypeVar("F", bound=Callable[..., Any])
_compiled: Callable[[F], F] = nb.njit(cache=True, nogil=True)


def word_table(*, fold_case: bool) -> Bytes:
    """Map a byte to the byte that is hashed for it; 0 separates words."""
    table = np.zeros(256, np.uint8)
    for byte in [*b"0123456789_abcdefghijklmnopqrstuvwxyz", *range(128, 256)]:
        table[byte] = byte
    for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[byte] = byte + 32 if fold_case else byte
    return table


def text_buffer(column: "pa.ChunkedArray | pa.Array") -> tuple[Bytes, Offsets]:
    """Give the UTF-8 bytes of a text column and the offset of each text in them, one more than there are texts."""
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of no chunks, or of more than 2 GB
        array = pa.concat_arrays(
            [chunk.cast(pa.large_string()) for chunk in array.chunks] or [pa.array([], pa.large_string())]
        )
    if array.null_count:
        raise ValueError(f"a text column has {array.null_count} nulls; text is required")
    _, offsets, values = array.buffers()
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    if not len(array):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    return (np.frombuffer(values, np.uint8) if values is not None and values.size else np.empty(0, np.uint8)), ends


@_compiled
def mix(x: Any) -> Any:
    """Spread 64 bits (the finalizer of MurmurHash3)."""
    x ^= x >> _u64(33)
    x *= _u64(0xFF51AFD7ED558CCD)
    x ^= x >> _u64(33)
    x *= _u64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> _u64(33))


def mark_table() -> Bytes:
    """Map a byte to the mark it is in code; 0 for letters, white space, backslashes, and `;`, which some leave out."""
    table = np.zeros(256, np.uint8)
    for byte in b"!\"#$%&'()*+,-./:<=>?@[]^`{|}~":
        table[byte] = ord("'") if chr(byte) in '"`' else byte
    return table


@_compiled
def _words(data: Any, start: int, end: int, table: Any, hashes: Any) -> int:
    """Hash the words of data[start:end] into `hashes`; give their number."""
    count, i = 0, start
    while i < end:
        byte = table[data[i]]
        if byte == 0:
            i += 1
            continue
        h = _FNV_START
        while byte != 0:
            h = (h ^ _u64(byte)) * _FNV_PRIME
            i += 1
            if i == end:
                break
            byte = table[data[i]]
        hashes[count] = mix(h)
        count += 1
    return count


@_compiled
def _shingles(words: Any, count: int, size: int, shingles: Any) -> int:
    """Hash each run of `size` words; a text with fewer words is one shingle."""
    if count == 0:
        return 0
    width = min(size, count)
    top = _u64(1)
    for _ in range(width - 1):
        top *= _BASE
    h = _u64(0)
    for j in range(count):
        if j >= width:
            h -= words[j - width] * top
        h = h * _BASE + words[j]
        if j >= width - 1:
            shingles[j - width + 1] = mix(h)
    return count - width + 1


@_compiled
def _signature(shingles: Any, count: int, factors: Any, terms: Any, minima: Any) -> None:
    """Lower the minima to the least `factor * shingle + term` modulo 2**32 over the shingles, for each (factor, term).

    Eight shingles a pass, so that the minima stay in vector registers: this loop is what near deduplication costs.
    """
    i = 0
    while i + 8 <= count:
        a, b = np.uint32(shingles[i] >> _u64(32)), np.uint32(shingles[i + 1] >> _u64(32))
        c, d = np.uint32(shingles[i + 2] >> _u64(32)), np.uint32(shingles[i + 3] >> _u64(32))
        e, f = np.uint32(shingles[i + 4] >> _u64(32)), np.uint32(shingles[i + 5] >> _u64(32))
        g, h = np.uint32(shingles[i + 6] >> _u64(32)), np.uint32(shingles[i + 7] >> _u64(32))
        for j in range(minima.shape[0]):
            x, y, m = factors[j], terms[j], minima[j]
            m = min(m, np.uint32(x * a + y), np.uint32(x * b + y), np.uint32(x * c + y), np.uint32(x * d + y))
            m = min(m, np.uint32(x * e + y), np.uint32(x * f + y), np.uint32(x * g + y), np.uint32(x * h + y))
            minima[j] = m
        i += 8
    while i < count:
        a = np.uint32(shingles[i] >> _u64(32))
        for j in range(minima.shape[0]):
            minima[j] = min(minima[j], np.uint32(factors[j] * a + terms[j]))
        i += 1


@_compiled
def minhash(
    data: Any, offsets: Any, table: Any, size: int, factors: Any, terms: Any, units: Any, minima: Any, shingled: Any
) -> None:
    """Lower `minima[unit, permutation]` by the shingles of every text, `units[text]` being what it is of; count them."""
    longest = 0
    for text in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    words, shingles = np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.uint64)
    for text in range(offsets.shape[0] - 1):
        count = _shingles(words, _words(data, offsets[text], offsets[text + 1], table, words), size, shingles)
        _signature(shingles, count, factors, terms, minima[units[text]])
        shingled[units[text]] += count


@_compiled
def bands(minima: Any, shingled: Any, rows: int, keys: Any, signatures: Any) -> None:
    """Give `keys[band, unit]` and `signatures[unit, permutation]`, the low byte of each minimum.

    A unit without words has the key 0 in every band, which is never linked.
    """
    for unit in range(minima.shape[0]):
        for j in range(minima.shape[1]):
            signatures[unit, j] = np.uint8(minima[unit, j] & np.uint32(0xFF))
        for band in range(keys.shape[0]):
            h = _u64(band + 1) * _BASE
            for j in range(band * rows, band * rows + rows):
                h = mix(h ^ _u64(minima[unit, j])) * _BASE
            keys[band, unit] = max(h, _u64(1)) if shingled[unit] > 0 else _u64(0)


@_compiled
def tokens(
    data: Any, start: int, end: int, table: Any, marks: Any, kept: Any, words: Any, spans: Any, code: Any, places: Any
) -> tuple[int, int]:
    """Cut data[start:end] into words and into tokens of code; give how many of each.

    `words[j]` is the hash of a word, `spans[j]` where it starts and ends. `code` has the marks between words too, and the
    same hash for every name that a renaming may change: not for numbers, for what `kept` (a bitmap over the top 16 bits
    of a word's hash) has, nor for what follows `.` or `::`. An escaped line end or tab (a backslash, then n, r or t)
    separates words, so that code inside a string or in JSON has the words of the code itself.
    """
    count, length, i = 0, 0, start
    while i < end:
        byte = table[data[i]]
        if byte == 0:
            mark = data[i]
            if marks[mark] != 0:
                code[length] = _u64(marks[mark]) * _FNV_PRIME
                places[length, 0], places[length, 1] = i, i + 1
                length += 1
            elif mark == 92 and i + 1 < end and (data[i + 1] == 110 or data[i + 1] == 114 or data[i + 1] == 116):
                i += 1
            i += 1
            continue
        first, h = i, _FNV_START
        while byte != 0:
            h = (h ^ _u64(byte)) * _FNV_PRIME
            i += 1
            if i == end:
                break
            byte = table[data[i]]
        word = mix(h)
        words[count], spans[count, 0], spans[count, 1] = word, first, i
        count += 1
        known = (
            data[first] <= 57 or (kept[word >> _u64(51)] >> np.uint8((word >> _u64(48)) & _u64(7))) & np.uint8(1) != 0
        )
        member = first > start and data[first - 1] == 46
        member |= first > start + 1 and data[first - 1] == 58 and data[first - 2] == 58
        code[length] = word if known or member else _NAME
        places[length, 0], places[length, 1] = first, i
        length += 1
    return count, length


@_compiled
def _find(
    text: int,
    hashes: Any,
    spans: Any,
    count: int,
    size: int,
    closed: int,
    keys: Any,
    bloom: Any,
    hits: Any,
    found: int,
) -> int:
    """Look up the runs of `size` of the hashes of one text; with `closed`, those that end in a closing bracket alone."""
    mask, top, h = _u64(bloom.shape[0] * 8 - 1), _u64(1), _u64(0)
    for _ in range(size):
        top *= _BASE
    for j in range(count):
        h = h * _BASE + hashes[j]
        if j >= size:
            h -= hashes[j - size] * top
        if j < size - 1 or (
            closed != 0 and hashes[j] != CLOSERS[0] and hashes[j] != CLOSERS[1] and hashes[j] != CLOSERS[2]
        ):
            continue
        key = mix(h ^ _u64(size))
        bit = key & mask
        if (bloom[bit >> _u64(3)] >> np.uint8(bit & _u64(7))) & np.uint8(1) == 0:
            continue
        low, high = 0, keys.shape[0]
        while low < high:
            middle = (low + high) // 2
            if keys[middle] < key:
                low = middle + 1
            else:
                high = middle
        if low < keys.shape[0] and keys[low] == key:
            if found < hits.shape[0]:
                hits[found, 0], hits[found, 1], hits[found, 2] = text, spans[j - size + 1, 0], spans[j, 1]
                hits[found, 3] = low
            found += 1
    return found


@_compiled
def scan(
    data: Any,
    offsets: Any,
    table: Any,
    marks: Any,
    kept: Any,
    sizes: Any,
    keys: Any,
    blooms: Any,
    hits: Any,
    found: Any,
) -> None:
    """Find the runs of every text whose hash is among sorted `keys`, in one pass over the bytes.

    Three families are looked for: runs of `sizes[0]` words, runs of `sizes[1]` words, and runs of `sizes[2]` tokens of
    code that end in a closing bracket; each has its `keys`, `blooms` and `hits`. A hit is (text, first byte, end, place of
    its key). `found` is set to the number of hits of each, which may exceed what `hits` has room for: the caller then
    calls again with more.
    """
    longest = 0
    for text in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    words, spans = np.empty(longest // 2 + 1, np.uint64), np.empty((longest // 2 + 1, 2), np.int64)
    code, places = np.empty(longest, np.uint64), np.empty((longest, 2), np.int64)
    found[:] = 0
    for text in range(offsets.shape[0] - 1):
        start, end = offsets[text], offsets[text + 1]
        count, length = tokens(data, start, end, table, marks, kept, words, spans, code, places)
        found[0] = _find(text, words, spans, count, sizes[0], 0, keys[0], blooms[0], hits[0], found[0])
        found[1] = _find(text, words, spans, count, sizes[1], 0, keys[1], blooms[1], hits[1], found[1])
        found[2] = _find(text, code, places, length, sizes[2], 1, keys[2], blooms[2], hits[2], found[2])


@_compiled
def run_keys(hashes: Any, size: int) -> Any:
    """Hash all runs of `size` hashes as `scan` does, in the order in which they start."""
    keys, top, h = np.empty(max(hashes.shape[0] - size + 1, 0), np.uint64), _u64(1), _u64(0)
    for _ in range(size):
        top *= _BASE
    for j in range(hashes.shape[0]):
        h = h * _BASE + hashes[j]
        if j >= size:
            h -= hashes[j - size] * top
        if j >= size - 1:
            keys[j - size + 1] = mix(h ^ _u64(size))
    return keys


@_compiled
def measure(data: Any, offsets: Any, lines: Any, longest: Any, characters: Any, letters: Any) -> None:
    """Count lines, characters of the longest line, characters and letters of every text.

    A character outside ASCII counts as a letter: the share is a test for data and symbols, which are ASCII.
    """
    for text in range(offsets.shape[0] - 1):
        number, width, most, seen, alphabetic = 1, 0, 0, 0, 0
        for i in range(offsets[text], offsets[text + 1]):
            byte = data[i]
            if byte == 10:
                most, width = max(most, width), 0
                number += 1
                seen += 1
            elif byte & 0xC0 != 0x80:  # not the continuation of a character
                width += 1
                seen += 1
                alphabetic += byte >= 128 or 97 <= (byte | 32) <= 122
        ends_in_newline = offsets[text + 1] > offsets[text] and data[offsets[text + 1] - 1] == 10
        lines[text] = number - ends_in_newline
        longest[text], characters[text], letters[text] = max(most, width), seen, alphabetic
