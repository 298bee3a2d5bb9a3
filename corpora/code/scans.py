"""Compiled loops behind the dearer signals: digits, comments, encoded data, visible HTML, repeated lines.

Each looks at the texts of `rows` only, over the raw UTF-8 of a column, in time linear in the bytes whatever they hold, and
fills one value a row of that list. Counts are of characters: a byte that continues a character is none. numba's cache
watches only the file of the function itself, so no kernel here calls one of another file. Compiling costs seconds, once a
machine.
"""

from typing import Any

import numpy as np

from corpora.kernels import _compiled

_u64 = np.uint64
BLANK, BASE64, HEXADECIMAL, WORD = 1, 2, 4, 8


def _classes() -> Any:
    table = np.zeros(256, np.uint8)
    for byte in b" \t\n\r\f\v":
        table[byte] |= BLANK
    for byte in b"0123456789abcdefABCDEF":
        table[byte] |= HEXADECIMAL
    for byte in range(256):
        letter = chr(byte).isalnum() and byte < 128
        table[byte] |= (WORD if letter or byte == 95 or byte >= 128 else 0) | (BASE64 if letter else 0)
    for byte in b"+/=\n":
        table[byte] |= BASE64
    return table


CLASSES = _classes()
"""What a byte can be part of; compiled into the loops as a constant."""


@_compiled
def count_digits(data: Any, offsets: Any, rows: Any, digits: Any) -> None:
    """Count the ASCII digits of every text."""
    for k in range(rows.shape[0]):
        number = 0
        for i in range(offsets[rows[k]], offsets[rows[k] + 1]):
            number += 48 <= data[i] <= 57
        digits[k] = number


@_compiled
def count_blanks(data: Any, offsets: Any, rows: Any, blanks: Any) -> None:
    """Count the blanks of every text, line ends among them."""
    for k in range(rows.shape[0]):
        number = 0
        for i in range(offsets[rows[k]], offsets[rows[k] + 1]):
            number += (data[i] == 32) | ((data[i] >= 9) & (data[i] <= 13))
        blanks[k] = number


@_compiled
def _starts(data: Any, i: int, end: int, marker: Any, first: int, last: int) -> bool:
    """Whether data[i:end] starts with marker[first:last]; nothing starts with an empty marker."""
    if last == first or i + last - first > end:
        return False
    for j in range(first, last):  # noqa: SIM110 (numba has no `all` of a generator)
        if data[i + j - first] != marker[j]:
            return False
    return True


@_compiled
def _line_end(data: Any, i: int, end: int) -> int:
    while i < end and data[i] != 10:
        i += 1
    return i


@_compiled
def _string_end(data: Any, i: int, end: int, kind: int) -> int:
    """Find where the string that starts at i ends: at its quote, tripled if it starts so, else with the line."""
    quote, long = data[i], kind == 2
    triple = long and i + 2 < end and data[i + 1] == quote and data[i + 2] == quote
    if triple:
        i += 2
    over_lines = triple or (long and quote == 96)
    i += 1
    while i < end:
        if data[i] == 92:
            i += 2
            continue
        if data[i] == 10 and not over_lines:
            return i
        if data[i] == quote and (not triple or (i + 2 < end and data[i + 1] == quote and data[i + 2] == quote)):
            return i + (3 if triple else 1)
        i += 1
    return end


@_compiled
def count_comments(data: Any, offsets: Any, rows: Any, markers: Any, spans: Any, quotes: Any, comments: Any) -> None:
    """Give the share of non-blank bytes that are comment, for texts of one style.

    `markers` holds the style's markers end to end, `spans` where each starts and ends in it: the opening and the closing
    of a block comment, then line comments. `quotes[byte]` is 1 for a quote, 2 for one whose strings go over lines.
    """
    starters = np.zeros(256, np.uint8)
    for s in range(spans.shape[0]):
        if s != 1 and spans[s, 1] > spans[s, 0]:
            starters[markers[spans[s, 0]]] = 1
    for k in range(rows.shape[0]):
        i, end = offsets[rows[k]], offsets[rows[k] + 1]
        solid, inside = 0, 0
        while i < end:
            byte = data[i]
            stop, comment = i + 1, False
            if quotes[byte]:
                stop = _string_end(data, i, end, quotes[byte])
            if starters[byte]:
                if _starts(data, i, end, markers, spans[0, 0], spans[0, 1]):
                    comment, stop = True, i + spans[0, 1] - spans[0, 0]
                    while stop < end and not _starts(data, stop, end, markers, spans[1, 0], spans[1, 1]):
                        stop += 1
                    stop = min(end, stop + spans[1, 1] - spans[1, 0])
                for s in range(2, spans.shape[0]):
                    if not comment and _starts(data, i, end, markers, spans[s, 0], spans[s, 1]):
                        comment, stop = True, _line_end(data, i, end)
            for j in range(i, min(stop, end)):
                blank = CLASSES[data[j]] & BLANK != 0
                solid += not blank
                inside += comment and not blank
            i = stop
        comments[k] = inside / max(solid, 1)


@_compiled
def _pair(data: Any, i: int, end: int, start: int) -> int:
    r"""Match one hexadecimal pair with what may follow it, as the published expression does; -1 where there is none.

    The expression is `\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)`.
    """
    before = i > start and CLASSES[data[i - 1]] & WORD != 0
    if i >= end or before == (CLASSES[data[i]] & WORD != 0):
        return -1
    if i + 1 < end and data[i + 1] == 120 and (data[i] == 48 or data[i] == 92):
        i += 2
    if i + 1 >= end or not (CLASSES[data[i]] & HEXADECIMAL and CLASSES[data[i + 1]] & HEXADECIMAL):
        return -1
    i += 2
    if i < end and data[i] == 44:
        return i + 1
    if i < end and CLASSES[data[i]] & WORD:
        return -1
    while i < end and CLASSES[data[i]] & BLANK:
        i += 1
    return i


@_compiled
def _escape(data: Any, i: int, end: int) -> int:
    """Match one escaped character, a backslash, a u and four hexadecimal digits; -1 where there is none."""
    if i + 6 > end or data[i] != 92 or data[i + 1] != 117:
        return -1
    for j in range(i + 2, i + 6):
        if not CLASSES[data[j]] & HEXADECIMAL:
            return -1
    return i + 6


@_compiled
def _repeats(data: Any, start: int, stop: int) -> bool:
    """Whether most bytes of a run are the one before again: a ruler, the underline of a heading, padding."""
    same = 0
    for i in range(start + 1, stop):
        same += data[i] == data[i - 1]
    return 2 * same > stop - start


@_compiled
def count_encoded(data: Any, offsets: Any, rows: Any, found: Any) -> None:
    """Count the characters in base64, hexadecimal and escaped runs, and those of the longest run (StarCoder2, section 3).

    A run of base64 has at least 64 characters, line ends among them; the others at least 8 items. `found` has four rows:
    both counts, and both without the runs of base64 that mostly repeat a byte.
    """
    for k in range(rows.shape[0]):
        start, end = offsets[rows[k]], offsets[rows[k] + 1]
        total, most, packed, packed_most, i = 0, 0, 0, 0, start
        while i + 64 <= end:  # what is before i is in no run, so a run of 64 begins at i or after its last break
            stop = i + 63
            while stop >= i and CLASSES[data[stop]] & BASE64:
                stop -= 1
            if stop >= i:
                i = stop + 1
                continue
            stop = i + 64
            while stop < end and CLASSES[data[stop]] & BASE64:
                stop += 1
            total, most = total + stop - i, max(most, stop - i)
            if not _repeats(data, i, stop):
                packed, packed_most = packed + stop - i, max(packed_most, stop - i)
            i = stop
        i = start
        while i < end:
            byte = data[i]
            inside = i > start and CLASSES[data[i - 1]] & WORD != 0
            if byte != 92 and (inside or not CLASSES[byte] & HEXADECIMAL):  # no word starts here
                i += 1
                continue
            escaped = byte == 92 and i + 1 < end and data[i + 1] == 117
            items, stop = 0, i
            while True:
                after = _escape(data, stop, end) if escaped else _pair(data, stop, end, start)
                if after < 0:
                    break
                items, stop = items + 1, after
            if items >= 8:
                total, most = total + stop - i, max(most, stop - i)
                packed, packed_most = packed + stop - i, max(packed_most, stop - i)
                i = stop
            else:
                i += 1
        found[0, k], found[1, k], found[2, k], found[3, k] = total, most, packed, packed_most


@_compiled
def _is_name(data: Any, i: int, end: int, name: Any) -> bool:
    """Whether data[i:end] starts with a name in lower case, in any case, and no longer one."""
    if i + name.shape[0] > end or (i + name.shape[0] < end and CLASSES[data[i + name.shape[0]]] & WORD):
        return False
    for j in range(name.shape[0]):  # noqa: SIM110
        if data[i + j] | 32 != name[j]:
            return False
    return True


@_compiled
def count_visible(data: Any, offsets: Any, rows: Any, hidden: Any, spans: Any, visible: Any) -> None:
    """Count the characters of HTML that a reader sees: outside tags, comments and the elements `hidden`, blanks once."""
    for k in range(rows.shape[0]):
        i, end = offsets[rows[k]], offsets[rows[k] + 1]
        seen, blank = 0, True
        while i < end:
            if data[i] != 60:
                if CLASSES[data[i]] & BLANK:
                    seen, blank = seen + (not blank), True
                elif data[i] & 0xC0 != 0x80:
                    seen, blank = seen + 1, False
                i += 1
                continue
            i += 1
            name = hidden[:0]
            for s in range(spans.shape[0]):
                if _is_name(data, i, end, hidden[spans[s, 0] : spans[s, 1]]):
                    name = hidden[spans[s, 0] : spans[s, 1]]
            comment = i + 2 < end and data[i] == 33 and data[i + 1] == 45 and data[i + 2] == 45
            while i < end and not (data[i] == 62 and (not comment or (data[i - 1] == 45 and data[i - 2] == 45))):
                i += 1
            i += 1
            if name.shape[0]:
                while i < end and not (data[i - 1] == 60 and data[i] == 47 and _is_name(data, i + 1, end, name)):
                    i += 1
                i -= i < end  # the closing tag is a tag like others
        visible[k] = seen


@_compiled
def count_unique_lines(data: Any, offsets: Any, rows: Any, least: int, unique: Any) -> None:
    """Give the share of lines that differ from all lines before, of those with at least `least` bytes without indent."""
    for k in range(rows.shape[0]):
        start, end = offsets[rows[k]], offsets[rows[k] + 1]
        lines = 1
        for i in range(start, end):
            lines += data[i] == 10
        hashes, count, i = np.empty(lines, np.uint64), 0, start
        while i < end:
            while i < end and CLASSES[data[i]] & BLANK:
                i += 1
            h, first, last = _u64(0xCBF29CE484222325), i, i
            while i < end and data[i] != 10:
                h = (h ^ _u64(data[i])) * _u64(0x100000001B3)
                h ^= h >> _u64(29)
                last = i
                i += 1
            if i > first and last + 1 - first >= least:
                hashes[count] = h
                count += 1
        ordered = np.sort(hashes[:count])
        different = min(count, 1)
        for j in range(1, count):
            different += ordered[j] != ordered[j - 1]
        unique[k] = different / count if count else 1.0
