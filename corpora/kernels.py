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
RING = 64
"""Longest n-gram, in words: size of the ring that holds the last words' hashes; a power of two."""

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
    """Least value of `factor * shingle + term` modulo 2**32 over the shingles, for each (factor, term).

    Eight shingles a pass, so that the minima stay in vector registers: this loop is what near deduplication costs.
    """
    minima[:] = np.uint32(0xFFFFFFFF)
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
def sketch(
    data: Any, offsets: Any, table: Any, size: int, factors: Any, terms: Any, rows: int, keys: Any, sketches: Any
) -> None:
    """MinHash every text: `keys[band, text]` and `sketches[text, permutation]`, the low byte of each minimum.

    A text without words has the key 0 in every band, which `link` skips.
    """
    longest = 0
    for text in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    words, shingles = np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.uint64)
    minima = np.empty(factors.shape[0], np.uint32)
    for text in range(offsets.shape[0] - 1):
        count = _shingles(words, _words(data, offsets[text], offsets[text + 1], table, words), size, shingles)
        _signature(shingles, count, factors, terms, minima)
        for j in range(minima.shape[0]):
            sketches[text, j] = np.uint8(minima[j] & np.uint32(0xFF))
        for band in range(keys.shape[0]):
            h = _u64(band + 1) * _BASE
            for j in range(band * rows, band * rows + rows):
                h = mix(h ^ _u64(minima[j])) * _BASE
            keys[band, text] = max(h, _u64(1)) if count > 0 else _u64(0)


@_compiled
def root(parents: Any, node: int) -> int:
    """Find the least node of a cluster, shortening the path to it."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@_compiled
def link(keys: Any, order: Any, sketches: Any, agreement: int, widest: int, parents: Any) -> int:
    """Unite texts that share a band's key and agree in at least `agreement` bytes of their sketches; count the pairs.

    Every pair of a run of equal keys is looked at, unless already united, so what is linked does not depend on order;
    in a run of more than `widest` texts each is compared with the first `widest` only. The least node becomes the root.
    """
    pairs, start = 0, 0
    while start < order.shape[0]:
        end = start + 1
        while end < order.shape[0] and keys[order[end]] == keys[order[start]]:
            end += 1
        if keys[order[start]] != _u64(0):
            for i in range(start + 1, end):
                for j in range(start, min(i, start + widest)):
                    p, q = root(parents, order[i]), root(parents, order[j])
                    if p == q:
                        continue
                    equal = 0
                    for k in range(sketches.shape[1]):
                        equal += sketches[order[i], k] == sketches[order[j], k]
                    if equal >= agreement:
                        parents[max(p, q)] = min(p, q)
                        pairs += 1
        start = end
    return pairs


@_compiled
def roots(parents: Any) -> Any:
    """Give the root of every node."""
    found = np.empty_like(parents)
    for node in range(parents.shape[0]):
        found[node] = root(parents, node)
    return found


@_compiled
def gram_keys(data: Any, offsets: Any, table: Any, keys: Any) -> None:
    """Hash all words of each text as one n-gram, as `scan` does; the number of words is mixed in."""
    for text in range(offsets.shape[0] - 1):
        words = np.empty((offsets[text + 1] - offsets[text]) // 2 + 1, np.uint64)
        count = _words(data, offsets[text], offsets[text + 1], table, words)
        h = _u64(0)
        for j in range(count):
            h = h * _BASE + words[j]
        keys[text] = mix(h ^ _u64(count))


@_compiled
def _lookup(keys: Any, key: Any) -> int:
    """Find `key` among the sorted keys; -1 when it is not there."""
    low, high = 0, keys.shape[0]
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < keys.shape[0] and keys[low] == key else -1


@_compiled
def scan(data: Any, offsets: Any, table: Any, keys: Any, sizes: Any, bloom: Any, hits: Any) -> int:
    """Find the n-grams of every text whose hash is among the sorted `keys`, in one pass over the bytes.

    `sizes` are the lengths looked for, in words. A hit is (text, offset in bytes, bytes, place of its key). Gives the
    number of hits, which may exceed what `hits` has room for: the caller then calls again with more.
    """
    found, mask = 0, _u64(bloom.shape[0] * 8 - 1)
    lengths = sizes.shape[0]
    tops, rolling = np.empty(lengths, np.uint64), np.empty(lengths, np.uint64)
    for s in range(lengths):
        tops[s] = _u64(1)
        for _ in range(sizes[s]):
            tops[s] *= _BASE
    ring, places = np.zeros(RING, np.uint64), np.zeros(RING, np.int64)
    for text in range(offsets.shape[0] - 1):
        rolling[:] = _u64(0)
        count, i, end = 0, offsets[text], offsets[text + 1]
        while i < end:
            byte = table[data[i]]
            if byte == 0:
                i += 1
                continue
            places[count & (RING - 1)] = i
            h = _FNV_START
            while byte != 0:
                h = (h ^ _u64(byte)) * _FNV_PRIME
                i += 1
                if i == end:
                    break
                byte = table[data[i]]
            word = mix(h)
            for s in range(lengths):
                size = sizes[s]
                value = rolling[s] * _BASE + word
                if count >= size:
                    value -= ring[(count - size) & (RING - 1)] * tops[s]
                rolling[s] = value
                if count < size - 1:
                    continue
                key = mix(value ^ _u64(size))
                bit = key & mask
                if (bloom[bit >> _u64(3)] >> np.uint8(bit & _u64(7))) & np.uint8(1) == 0:
                    continue
                place = _lookup(keys, key)
                if place >= 0:
                    if found < hits.shape[0]:
                        first = places[(count - size + 1) & (RING - 1)]
                        hits[found, 0], hits[found, 1] = text, first - offsets[text]
                        hits[found, 2], hits[found, 3] = i - first, place
                    found += 1
            ring[count & (RING - 1)] = word
            count += 1
    return found


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
