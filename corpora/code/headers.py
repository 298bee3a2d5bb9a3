"""Licence text at the head of a file: where it is, so that it can be trimmed, and which copyright lines stand there.

Of the comments that open a file, whole lines go: in each paragraph from the first line that grants, disclaims or points to
a licence to its end. Lines of copyright and SPDX tags stay (attribution is kept), as do lines that open or close a comment.
A licence in a string or behind code stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD_BYTES = 16_384
"""Bytes of a file that are read; the longest usual header, BSD's with four clauses, has 3 kB."""
_NOTICE_BYTES = 200
_MARKS = b" \t\r*/#-=;%!\"'"
_LINE_COMMENT = re.compile(
    rb"//|--|;|%|!|dnl\b|REM\b|#(?!\s*(?:include|define|undef|if|ifdef|ifndef|pragma|import|error|line)\b)"
)
_BLOCKS = ((b"/*", b"*/"), (b"<!--", b"-->"), (b"(*", b"*)"), (b"{#", b"#}"))
_FIXED = re.compile(rb"/\*|\*/|<!--|-->|\(\*|\*\)|\{#|#\}|^#!|coding[:=]")
"""Lines that stay because a comment, an interpreter or an encoding depends on them."""
_ATTRIBUTION = re.compile(
    rb"(?i)copyright\s*(?:\(c\)|\xc2\xa9|[12]\d{3}|by\s)|\xc2\xa9|\(c\)\s*(?:copyright\s*)?[12]\d{3}|SPDX-|^\W*authors?\s*:"
)
_LICENSE = re.compile(
    rb"(?i)licen[cs]ed (?:under|to)|permission is hereby granted|permission to use, copy|redistribution and use"
    rb"|redistributions (?:of|in)|general public licen[cs]e|mozilla public licen[cs]e|apache licen[cs]e|bsd[- ]style licen[cs]e"
    rb"|without warrant|without any warranty|warranties (?:of|or)|\"as is\"|(?:apache|gnu|opensource|mozilla)\.org/"
    rb"|notice shall be|all rights reserved|in no event shall|be liable for|you may not use this file|neither the name"
    rb"|governed by an?|(?:under|see) the (?:terms|licen[cs]e)|see (?:the )?(?:accompanying )?licen[cs]e|this is free software"
    rb"|unless required by applicable"
)
"""Phrases of licence texts and of the notes that point to them."""
_NOTICE = re.compile(rb"(?i)(?:copyright|\(c\)|\xc2\xa9)[^\n]{0,40}[12]\d{3}[^\n]*")

_Line = tuple[int, int, bytes]
"""Start, end and content of a line."""


def license_spans(text: bytes) -> list[tuple[int, int]]:
    r"""Give the lines of licence text at the head of a file, as spans of bytes in order.

    >>> license_spans(b"# Copyright 2020 Jane\n# Licensed under MIT,\n# see LICENSE.\n\nimport os\n")
    [(22, 59)]
    """
    spans: list[tuple[int, int]] = []
    licensed = False
    for start, end, line in _comments(text):
        if not line.strip(_MARKS + b"<>\n"):
            licensed = False
            continue
        licensed = licensed or _LICENSE.search(line) is not None
        if licensed and not _ATTRIBUTION.search(line) and not _FIXED.search(line):
            touching = bool(spans) and spans[-1][1] == start
            spans.append((spans.pop()[0] if touching else start, end))
    return spans


def copyright_notices(text: bytes) -> list[str]:
    r"""Read the copyright lines at the head of a file, without the comment's marks.

    >>> copyright_notices(b"# Copyright (c) 2020 Jane Doe.\nimport os\n")
    ['Copyright (c) 2020 Jane Doe.']
    """
    lines = (match[0] for _, _, line in _comments(text) if (match := _NOTICE.search(line)))
    words = (b" ".join(line.strip(_MARKS).split())[:_NOTICE_BYTES].decode("utf-8", "ignore") for line in lines)
    return list(dict.fromkeys(words))


def _comments(text: bytes) -> Iterator[_Line]:
    """List the lines up to the first that is no comment: empty ones, line comments, lines of a block."""
    start, closing = 0, b""
    while start < min(len(text), _HEAD_BYTES):
        end = text.find(b"\n", start) + 1 or len(text)
        line = text[start:end]
        content = line.strip()
        if not closing:
            closing = next((close for opening, close in _BLOCKS if content.startswith(opening)), b"")
            if content and not closing and not _LINE_COMMENT.match(content):
                return
        if closing and closing in content:
            closing = b""
            if not content.endswith(tuple(close for _, close in _BLOCKS)):
                return  # code follows the comment
        yield start, end, line
        start = end
