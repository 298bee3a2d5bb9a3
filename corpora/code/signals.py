"""Measured properties of source files, each a number: what they decide is in `bounds`.

A signal is measured for the rows that ask for it, when a bound asks, with all others that the same pass gives. Passes run
over the raw bytes of a whole column; `generated` and `vendored` are those of `marks`, file by file. A name that a paper
defines means what it means there; where that takes good files (docs/corpus.md), a signal of ours stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corpora.code.marks import GENERATED_MARKS, generated_mark, published_mark, vendored_mark

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Rows = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]

HIDDEN_ELEMENTS = ("script", "style", "head")
LEAST_LINE_BYTES = 3
"""A line of a brace and a comma repeats in all code."""
_LEAST_RUN_SHARE = 0.1
"""A certificate in a long test is shorter; ours."""
_XML = b"<?xml version="
XML_CHARACTERS = 100
"""First characters in which an XML declaration is looked for (DeepSeek-Coder, section 2.1)."""

DESCRIPTIONS = {
    "bytes": "bytes of the file in UTF-8",
    "lines": "lines",
    "characters": "characters",
    "longest_line": "characters of the longest line",
    "mean_line": "characters a line, line ends counted",
    "letters": "share of characters that are letters; one outside ASCII counts as one",
    "digits": "share of characters that are digits",
    "alphanumerics": "share of characters that are letters or digits",
    "comments": "share of non-blank bytes in comments",
    "encoded": "share of characters in base64, hexadecimal or escaped runs",
    "encoded_run": "characters of the longest such run",
    "solid_letters": "share of characters other than blanks that are letters",
    "packed": "share of characters in encoded runs in which no more than half repeat the one before",
    "packed_run": "characters of the longest such run that is more than a tenth of the file, or 0",
    "visible": "characters of HTML that a reader sees",
    "visible_share": "share of characters of HTML that a reader sees",
    "unique_lines": f"share of lines that differ from all before, of those of {LEAST_LINE_BYTES} bytes and more",
    "xml": "1 for a text that begins with an XML declaration",
    "xml_phrase": f"1 with an XML declaration in the first {XML_CHARACTERS} characters",
    "generated": "1 for a file that a program wrote, by its head or Linguist's rules",
    "generated_phrase": f"the same by {len(GENERATED_MARKS)} phrases or Linguist's rules alone",
    "vendored": "1 for a path of others' code, by Linguist's rules and a few of ours",
}


@dataclass
class Column:
    """The files of one shard, and what was measured of them so far."""

    texts: pa.ChunkedArray
    languages: list[str]
    paths: list[str]
    data: npt.NDArray[np.uint8] = field(init=False)
    offsets: Rows = field(init=False)
    values: dict[str, Values] = field(default_factory=dict, init=False)
    evidence: dict[tuple[str, int], str] = field(default_factory=dict, init=False)
    """By signal and row: what marks a file as generated or vendored."""

    def __post_init__(self) -> None:
        from corpora import kernels

        self.data, self.offsets = kernels.text_buffer(self.texts)

    def measure(self, signal: str, rows: Rows) -> Values:
        """Give a signal of some rows."""
        import numpy as np

        names, measure = _PASSES[signal]
        if signal not in self.values:
            self.values |= {name: np.full(len(self.paths), np.nan) for name in names}
        wanted = rows[np.isnan(self.values[signal][rows])]
        if len(wanted):
            for name, found in zip(names, measure(self, wanted), strict=True):
                self.values[name][wanted] = found
        return self.values[signal][rows]

    def text(self, row: int) -> bytes:
        """Give the text of a row."""
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()


def _base(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora import kernels

    lines, longest, characters, letters = (np.zeros(len(column.paths), np.int64) for _ in range(4))
    kernels.measure(column.data, column.offsets, lines, longest, characters, letters)
    sizes = (np.diff(column.offsets), lines, characters, longest)
    shares = (characters / np.maximum(lines, 1), letters / np.maximum(characters, 1))
    return tuple(values[rows].astype(np.float64) for values in (*sizes, *shares))


def _digits(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans

    digits = np.zeros(len(rows), np.float64)
    scans.count_digits(column.data, column.offsets, rows, digits)
    share = digits / np.maximum(column.measure("characters", rows), 1)
    return share, share + column.measure("letters", rows)


def _solid_letters(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans

    blanks = np.zeros(len(rows), np.float64)
    scans.count_blanks(column.data, column.offsets, rows, blanks)
    characters = column.measure("characters", rows)
    letters = np.rint(column.measure("letters", rows) * characters)
    return (letters / np.maximum(characters - blanks, 1),)


def _comments(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans
    from corpora.code.languages import BY_NAME

    known = (BY_NAME.get(column.languages[row]) for row in rows)
    styles = np.array([language.comments if language else "" for language in known])
    shares = np.zeros(len(rows), np.float64)
    for style in np.unique(styles):
        among = np.flatnonzero(styles == style)
        found = np.zeros(len(among), np.float64)
        scans.count_comments(column.data, column.offsets, rows[among], *_comment_tables(str(style)), found)
        shares[among] = found
    return (shares,)


def _comment_tables(style: str) -> tuple[npt.NDArray[np.uint8], Rows, npt.NDArray[np.uint8]]:
    """Lay a style out as the kernel reads it: markers end to end, their spans, a class for each byte that quotes."""
    import numpy as np

    from corpora.code.comments import COMMENTS

    row = COMMENTS[style]
    markers, spans = _laid_out((*row.block, *row.line))
    quotes = np.zeros(256, np.uint8)
    for quote in row.quotes.encode():
        quotes[quote] = 2 if chr(quote) in row.long_quotes else 1
    return markers, spans, quotes


def _laid_out(words: tuple[str, ...]) -> tuple[npt.NDArray[np.uint8], Rows]:
    """Put words end to end; give them and where each starts and ends."""
    import numpy as np

    ends = np.cumsum([len(word) for word in words])
    spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1).astype(np.int64)
    return np.frombuffer("".join(words).encode(), np.uint8), spans


def _encoded(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans

    found = np.zeros((4, len(rows)), np.float64)
    scans.count_encoded(column.data, column.offsets, rows, found)
    matched, longest, packed, packed_longest = found
    characters = np.maximum(column.measure("characters", rows), 1)
    share = _LEAST_RUN_SHARE * characters
    runs = longest, np.where(packed_longest > share, packed_longest, 0.0)
    return np.minimum(matched / characters, 1.0), runs[0], np.minimum(packed / characters, 1.0), runs[1]


def _visible(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans

    visible = np.zeros(len(rows), np.float64)
    scans.count_visible(column.data, column.offsets, rows, *_laid_out(HIDDEN_ELEMENTS), visible)
    return visible, visible / np.maximum(column.measure("characters", rows), 1)


def _unique_lines(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    from corpora.code import scans

    unique = np.zeros(len(rows), np.float64)
    scans.count_unique_lines(column.data, column.offsets, rows, LEAST_LINE_BYTES, unique)
    return (unique,)


def _xml(column: Column, rows: Rows) -> tuple[Values, ...]:
    import numpy as np

    heads = [column.text(row)[:XML_CHARACTERS] for row in rows]
    first = [head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_XML) for head in heads]
    return np.array(first, np.float64), np.array([_XML in head for head in heads], np.float64)


def _generated(column: Column, rows: Rows) -> tuple[Values, ...]:
    marks = (generated_mark(column.paths[row], column.text(row)) for row in rows)
    return (_marked(column, rows, "generated", marks),)


def _generated_phrase(column: Column, rows: Rows) -> tuple[Values, ...]:
    marks = (published_mark(column.paths[row], column.text(row)) for row in rows)
    return (_marked(column, rows, "generated_phrase", marks),)


def _vendored(column: Column, rows: Rows) -> tuple[Values, ...]:
    return (_marked(column, rows, "vendored", (vendored_mark(column.paths[row]) for row in rows)),)


def _marked(column: Column, rows: Rows, signal: str, marks: Iterable[str | None]) -> Values:
    """Give 1 for the rows that something marks, and keep what it is."""
    import numpy as np

    found = list(marks)
    column.evidence |= {(signal, int(row)): mark for row, mark in zip(rows, found, strict=True) if mark}
    return np.array([mark is not None for mark in found], np.float64)


_GROUPS: tuple[tuple[tuple[str, ...], Callable[[Column, Rows], tuple[Values, ...]]], ...] = (
    (("bytes", "lines", "characters", "longest_line", "mean_line", "letters"), _base),
    (("digits", "alphanumerics"), _digits),
    (("comments",), _comments),
    (("solid_letters",), _solid_letters),
    (("encoded", "encoded_run", "packed", "packed_run"), _encoded),
    (("visible", "visible_share"), _visible),
    (("unique_lines",), _unique_lines),
    (("xml", "xml_phrase"), _xml),
    (("generated",), _generated),
    (("generated_phrase",), _generated_phrase),
    (("vendored",), _vendored),
)
_PASSES = {name: (names, measure) for names, measure in _GROUPS for name in names}
