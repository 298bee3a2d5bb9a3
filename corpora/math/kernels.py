r"""Compiled loops of decontamination: words of a question, runs of them that a benchmark has, longest common subsequence.

A question's words are numbers here, those of the benchmarks' vocabulary; a word that no benchmark has is -1 and ends every
run. A run proposes the items that have it, at once for all texts of a column; what decides is the LCS, of 64 words an
instruction (Hyyrö 2004), so that a thousand proposals cost 0.2 ms. All loops are in this one file for numba's cache
(see `corpora/kernels.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba as nb
import numpy as np

from corpora.kernels import mix

F = TypeVar("F", bound=Callable[..., Any])
_compiled: Callable[[F], F] = nb.njit(cache=True, nogil=True)
_u64 = np.uint64
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FNV_START, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
LETTERS, NUMBER, SIGN = 0, 1, 2
"""Kinds of tokens."""
SEGMENT = 2048
"""Words that are compared at a time; a longer text is read in segments that overlap by half."""
_SIGNS = np.zeros(128, np.bool_)
_SIGNS[[ord(sign) for sign in "+-*/^=<>%!|"]] = True


@_compiled
def _is_letter(byte: int) -> bool:
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 0xC2 <= byte < 0xE3


@_compiled
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@_compiled
def _number_end(data: Any, i: int, end: int) -> int:
    """Find the end of a number: digits, thousands behind commas, decimals."""
    while i < end and _is_digit(data[i]):
        i += 1
    while (
        i + 3 < end
        and data[i] == 44
        and _is_digit(data[i + 1])
        and _is_digit(data[i + 2])
        and _is_digit(data[i + 3])
        and not (i + 4 < end and _is_digit(data[i + 4]))
    ):
        i += 4
    if i + 1 < end and data[i] == 46 and _is_digit(data[i + 1]):
        i += 1
        while i < end and _is_digit(data[i]):
            i += 1
    return i


@_compiled
def _word_end(data: Any, i: int, end: int) -> int:
    """Find the end of a word that starts at `i`: of a run of letters, or of one character from U+3000 up."""
    if data[i] >= 0xE3:
        i += 1
        while i < end and data[i] & 0xC0 == 0x80:
            i += 1
        return i
    while i < end and (_is_letter(data[i]) or data[i] & 0xC0 == 0x80):
        i += 1
    return i


@_compiled
def word_hash(data: Any, start: int, end: int) -> Any:
    """Hash a word in lower case, a number without its commas."""
    h = _FNV_START
    for i in range(start, end):
        byte = data[i]
        if byte != 44:
            h = (h ^ _u64(byte + 32 if 65 <= byte <= 90 else byte)) * _FNV_PRIME
    return mix(h)


@_compiled
def words(data: Any, start: int, end: int, names: Any, meanings: Any, hashes: Any, spans: Any, kinds: Any) -> int:
    r"""Cut data[start:end] into words, numbers and signs; give their number.

    `names` are sorted hashes of LaTeX commands, `meanings` the hash that each is read as, 0 for nothing, and 1 + the
    byte of a sign.
    """
    count, i = 0, start
    while i < end:
        byte, first = data[i], i
        if _is_digit(byte):
            i = _number_end(data, i, end)
            kinds[count], hashes[count] = NUMBER, word_hash(data, first, i)
        elif _is_letter(byte) or byte >= 0xE3:
            i = _word_end(data, i, end)
            kinds[count], hashes[count] = LETTERS, word_hash(data, first, i)
            if first > start and data[first - 1] == 92:
                found = np.searchsorted(names, hashes[count])
                if found < names.shape[0] and names[found] == hashes[count]:
                    if meanings[found] == _u64(0):
                        continue
                    hashes[count] = meanings[found]
                    kinds[count] = SIGN if meanings[found] < _u64(256) else LETTERS
        elif byte < 128 and _SIGNS[byte]:
            i += 1
            joins = byte == 45 and first > start and i < end and _is_letter(data[first - 1]) and _is_letter(data[i])
            if joins:
                continue
            kinds[count], hashes[count] = SIGN, _u64(byte)
        else:
            i += 1
            continue
        spans[count, 0], spans[count, 1] = first, i
        count += 1
    return count


@_compiled
def whole(hashes: Any, count: int) -> Any:
    """Hash all tokens of a text, signs too."""
    h = _u64(0)
    for j in range(count):
        h = mix(h * _BASE + hashes[j])
    return h


@_compiled
def fill(keys: Any, slots: Any, values: Any) -> None:
    """Put distinct keys into an empty table of a power of two of slots; `values` are their places."""
    mask = _u64(slots.shape[0] - 1)
    for j in range(keys.shape[0]):
        i = keys[j] & mask
        while slots[i] != _u64(0):
            i = (i + _u64(1)) & mask
        slots[i], values[i] = keys[j], j


@_compiled
def find(slots: Any, values: Any, key: Any) -> int:
    """Give the place of a key, -1 where it is not in the table."""
    mask = _u64(slots.shape[0] - 1)
    i = key & mask
    while slots[i] != _u64(0):
        if slots[i] == key:
            return int(values[i])
        i = (i + _u64(1)) & mask
    return -1


@_compiled
def run_keys(numbers: Any, count: int, size: int, keys: Any) -> None:
    """Hash the run of `size` words that ends at each place; 0 where there is none, or a word in it is unknown."""
    top, h, known = _u64(1), _u64(0), 0
    for _ in range(size):
        top *= _BASE
    for j in range(count):
        known = known + 1 if numbers[j] >= 0 else 0
        h = h * _BASE + _u64(numbers[j] + 2)
        if j >= size:
            h -= _u64(numbers[j - size] + 2) * top
        keys[j] = max(mix(h ^ _u64(size)), _u64(1)) if known >= size else _u64(0)


@_compiled
def _ones(x: Any) -> int:
    x = x - ((x >> _u64(1)) & _u64(0x5555555555555555))
    x = (x & _u64(0x3333333333333333)) + ((x >> _u64(2)) & _u64(0x3333333333333333))
    x = (x + (x >> _u64(4))) & _u64(0x0F0F0F0F0F0F0F0F)
    return int((x * _u64(0x0101010101010101)) >> _u64(56))


@_compiled
def lcs(numbers: Any, masks: Any, width: int, length: int, state: Any) -> int:
    """Give the length of the longest common subsequence of an item and the text whose places `masks` has, word by word."""
    for w in range(width):
        state[w] = ~_u64(0)
    for j in range(numbers.shape[0]):
        carry = _u64(0)
        row = masks[numbers[j]]
        for w in range(width):
            both = state[w] & row[w]
            added = state[w] + both
            over = _u64(1) if added < state[w] else _u64(0)
            added += carry
            over |= _u64(1) if added < carry else _u64(0)
            state[w] = added | (state[w] & ~row[w])
            carry = over
    common = 0
    for w in range(width):
        bits = min(64, length - 64 * w)
        common += bits - _ones(state[w] & (~_u64(0) if bits == 64 else (_u64(1) << _u64(bits)) - _u64(1)))
    return common


@_compiled
def _propose(numbers: Any, count: int, size: int, runs: Any, stamp: int, stamps: Any, times: Any, first: Any) -> Any:
    """List the items that share a run with a text, how many runs of each, and at which word the first starts."""
    slots, values, offsets, holders, keys, found = runs
    total = 0
    run_keys(numbers, count, size, keys)
    for j in range(size - 1, count):
        run = find(slots, values, keys[j]) if keys[j] != _u64(0) else -1
        if run < 0:
            continue
        for k in range(offsets[run], offsets[run + 1]):
            item = holders[k]
            if stamps[item] != stamp:
                stamps[item], times[item], first[item] = stamp, 0, j - size + 1
                found[total] = item
                total += 1
            times[item] += 1
    return found[:total]


@_compiled
def scan(
    data: Any,
    offsets: Any,
    reading: Any,
    vocabulary: Any,
    rules: Any,
    tables: Any,
    items: Any,
    bounds: Any,
    best: Any,
    scores: Any,
    places: Any,
    wholes: Any,
    sizes: Any,
) -> None:
    """Find for every text, rule and benchmark the item that it is most like.

    `reading`: names and meanings of LaTeX commands. `vocabulary`: slots and values of the words, which of them are numbers,
    and the number of the word that stands for all numbers. `rules`: (stream, size of a run, fewest runs). `items`: for each
    stream (0 as written, 1 with numbers masked) the words of all items and where each begins, then the benchmark of each.
    `bounds`: the least share of the longer of both, and of the item, that counts. `best` (text, rule, benchmark) is an item
    or -1, `places` the bytes of its first run; `wholes` hashes the text, `sizes` counts its words, numbers and signs.
    """
    longest = 0
    for text in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    hashes, spans, kinds = np.empty(longest, np.uint64), np.empty((longest, 2), np.int64), np.empty(longest, np.uint8)
    streams, marks = np.empty((2, longest), np.int64), np.empty((longest, 2), np.int64)
    slots, values, numeric, number = vocabulary
    plain, masked, begins, owners = items
    masks, state = np.zeros((numeric.shape[0], SEGMENT // 64), np.uint64), np.empty(SEGMENT // 64, np.uint64)
    stamps, times, first = (
        np.zeros(owners.shape[0], np.int64),
        np.zeros(owners.shape[0], np.int64),
        np.zeros(owners.shape[0], np.int64),
    )
    keys, found, stamp = np.empty(SEGMENT, np.uint64), np.empty(owners.shape[0], np.int64), 0
    for text in range(offsets.shape[0] - 1):
        tokens = words(data, offsets[text], offsets[text + 1], reading[0], reading[1], hashes, spans, kinds)
        wholes[text] = whole(hashes, tokens)
        length = 0
        for j in range(tokens):
            sizes[text, kinds[j]] += 1
            if kinds[j] != SIGN:
                word = find(slots, values, hashes[j])
                streams[0, length] = word
                streams[1, length] = number if kinds[j] == NUMBER or (word >= 0 and numeric[word]) else word
                marks[length, 0], marks[length, 1] = spans[j, 0], spans[j, 1]
                length += 1
        begin = 0
        while begin < length:
            size = min(SEGMENT, length - begin)
            width = (size + 63) // 64
            for rule in range(rules.shape[0]):
                part = streams[rules[rule, 0], begin : begin + size]
                stamp += 1
                one = (tables[rule][0], tables[rule][1], tables[rule][2], tables[rule][3], keys, found)
                proposed = _propose(part, size, rules[rule, 1], one, stamp, stamps, times, first)
                if proposed.shape[0] == 0:
                    continue
                for j in range(size):
                    if part[j] >= 0:
                        masks[part[j], j >> 6] |= _u64(1) << _u64(j & 63)
                for item in proposed:
                    if times[item] < rules[rule, 2]:
                        continue
                    ids = (plain if rules[rule, 0] == 0 else masked)[begins[item] : begins[item + 1]]
                    short, long = min(size, ids.shape[0]), max(size, ids.shape[0])
                    if short <= bounds[0] * long and short < bounds[1] * ids.shape[0]:
                        continue
                    common = lcs(ids, masks, width, size, state)
                    if common > bounds[0] * long or common >= bounds[1] * ids.shape[0]:
                        score = max(common / long, common / ids.shape[0] if common >= bounds[1] * ids.shape[0] else 0.0)
                        owner = owners[item]
                        known = best[text, rule, owner]
                        if (
                            known < 0
                            or score > scores[text, rule, owner]
                            or (score == scores[text, rule, owner] and item < known)
                        ):
                            best[text, rule, owner], scores[text, rule, owner] = item, score
                            start = begin + first[item]
                            places[text, rule, owner, 0] = marks[start, 0] - offsets[text]
                            places[text, rule, owner, 1] = marks[start + rules[rule, 1] - 1, 1] - offsets[text]
                for j in range(size):
                    if part[j] >= 0:
                        masks[part[j], j >> 6] = _u64(0)
            if begin + size == length:
                break
            begin += SEGMENT // 2
