"""Where a word of a shell script stands bare: there a placeholder needs quotes, because its angle brackets are redirections.

A lexer of quotes, substitutions, comments and here-documents, in time linear in the text; only scripts with a finding go
through it. The words of `case` with their lone parenthesis are not known within a substitution.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_OUTSIDE = re.compile(
    rb"\\(?s:.)"
    rb"|(?:(?<=[\s;&|()])|\A)#[^\n]*"
    rb"|\$'(?:[^'\\]|\\(?s:.))*(?:'|\Z)"
    rb"|'[^']*(?:'|\Z)"
    rb"|<<<"
    rb"|<<-?[ \t]*(?P<mark>\\?[^\s;&|<>()$`\"'\\]+|'[^'\n]*'|\"[^\"\n]*\")"
    rb"|[\n\"`()]"
)
_WITHIN_QUOTES = re.compile(rb"\\(?s:.)|\$\(|[\"`]")
_CLOSING = {b")": (b"(", b"$("), b"`": (b"`",)}
"""What ends a substitution that began with one of these."""
_Ends = dict[bytes, list[tuple[int, int]]]
"""By content of a line without tabs before it: where such lines start and end."""


def bare(text: bytes, places: list[int]) -> list[bool]:
    """Say of places, in order, whether they stand outside quotes, comments and here-documents."""
    spans = _spans(text, places[-1]) if places else []
    starts = [start for start, _ in spans]

    def outside(place: int) -> bool:
        index = bisect_right(starts, place) - 1
        return index < 0 or place >= spans[index][1]

    return [outside(place) for place in places]


def _spans(text: bytes, last: int) -> list[tuple[int, int]]:
    """List what is quoted, commented or a here-document, as far as the last place."""
    lexer = _Lexer(text)
    while lexer.position <= last and lexer.step():
        pass
    return lexer.spans


class _Lexer:
    """What is open at a position: double quotes, and the substitutions that may stand in them."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.position = 0
        self.spans: list[tuple[int, int]] = []
        self._open: list[bytes] = []
        self._quote = 0
        self._marks: list[bytes] = []
        self._ends: _Ends | None = None

    def step(self) -> bool:
        """Read to the end of the next piece; false when there is none."""
        quoted = self._open[-1:] == [b'"']
        piece = (_WITHIN_QUOTES if quoted else _OUTSIDE).search(self.text, self.position)
        if piece is None:
            self.spans += [(self._quote, len(self.text))] if quoted else []
            return False
        self.position = piece.end()
        if quoted:
            self._leave(piece[0])
        elif piece["mark"]:
            self._marks.append(piece["mark"].strip(b"\"'\\"))
        elif piece[0] == b"\n":
            self._documents()
        elif len(piece[0]) == 1:
            self._enter(piece[0], piece.start())
        elif piece[0] != b"<<<":
            self.spans.append(piece.span())
        return True

    def _leave(self, token: bytes) -> None:
        """End the quotes, or let a substitution interrupt them."""
        if token.startswith(b"\\"):
            return
        self.spans.append((self._quote, self.position))
        if token == b'"':
            self._open.pop()
        else:
            self._open.append(token)

    def _enter(self, token: bytes, start: int) -> None:
        """Begin quotes or a substitution, or end one and be in the quotes around it again."""
        if self._open and self._open[-1] in _CLOSING.get(token, ()):
            self._open.pop()
        elif token != b")":
            self._open.append(token)
        self._quote = start

    def _documents(self) -> None:
        """Skip the here-documents that begin on this line; what no line ends was a shift of numbers."""
        start = self.position - 1
        for mark in self._marks:
            self._ends = _line_ends(self.text) if self._ends is None else self._ends
            self.position = _document_end(self._ends.get(mark, []), self.position)
        if self._marks:
            self.spans.append((start, self.position))
        self._marks = []


def _document_end(ends: list[tuple[int, int]], start: int) -> int:
    """Give the end of the here-document that starts at a line, or where it starts without one."""
    index = bisect_left(ends, (start, 0))
    return ends[index][1] if index < len(ends) else start


def _line_ends(text: bytes) -> _Ends:
    ends: _Ends = {}
    start = 0
    for line in text.split(b"\n"):
        ends.setdefault(line.lstrip(b"\t"), []).append((start, start + len(line)))
        start += len(line) + 1
    return ends
