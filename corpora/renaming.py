"""Whether two pieces of code are the same but for the names in them, and which names a renaming can change.

Names are free, unless they are words of a language, of its standard functions, or members (after `.` or `::`). Two runs of
tokens are the same when a one-to-one renaming of free names turns one into the other. White space, line ends, case,
`;` and the kind of quotes do not count. Types, comments and the order of statements do: changing those hides a copy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = re.compile(rb"\\[nrt]|[0-9A-Za-z_\x80-\xff]+|[^\s\w\\;\x00-\x1f\x7f]")
_QUOTES = bytes.maketrans(b'"`', b"''")
_WORDS = """
and as assert async await auto bool boolean break byte case catch char class const constexpr continue crate def
default defer del delete do double dyn elif else enum except extends extern false final finally float fn for from func
function global go goto i32 i64 if impl implements import in include inline instanceof int int32 int64 interface is
lambda let long loop mod move mut new nil none nonlocal not null or override pass private protected pub public raise
range ref return self short signed sizeof static str struct super switch this throw throws trait true try type typedef
typename typeof u32 u64 u8 undefined unsafe unsigned use usize using var vec vector virtual void volatile where while
with yield
"""
"""Of Python, JavaScript, Java, Go, C++ and Rust: no one renames them."""
_LIBRARY = """
abs all any arraylist chr dict enumerate filter float64 frozenset hashmap hashset isinstance iter len
list math max min ord os pow print println round set sorted sort sum zip
"""
"""Functions and types that come with these languages, but for those that variables are often named like."""
KEPT = frozenset(f"{_WORDS} {_LIBRARY}".split())
"""Lower case; compared without case."""


class Token(NamedTuple):
    """A token of code: as written, and whether it is a name that a renaming may change."""

    text: bytes
    free: bool


def tokens(text: bytes, start: int = 0) -> list[Token]:
    """Cut code into tokens, as `kernels.tokens` does, from `start` on.

    >>> [token.text for token in tokens(b"x = f(a.b); y") if token.free]
    [b'x', b'f', b'a', b'y']
    """
    found = []
    for match in _TOKEN.finditer(text, start):
        token = match[0]
        if token[:1] != b"\\":
            free = (token[0] > 57 and _is_word(token)) and not _is_kept(token) and not _is_member(text, match.start())
            found.append(Token(token if free else token.lower().translate(_QUOTES), free))
    return found


def same(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """Whether a one-to-one renaming of free names turns one run into the other.

    >>> same(tokens(b"a + b * a"), tokens(b"x + y * x")), same(tokens(b"a + b * a"), tokens(b"x + y * y"))
    (True, False)
    """
    if len(left) != len(right):
        return False
    there: dict[bytes, bytes] = {}
    back: dict[bytes, bytes] = {}
    for one, other in zip(left, right, strict=True):
        if one.free != other.free:
            return False
        if not one.free and one.text != other.text:
            return False
        if one.free and (
            there.setdefault(one.text, other.text) != other.text or back.setdefault(other.text, one.text) != one.text
        ):
            return False
    return True


def _is_word(token: bytes) -> bool:
    return token[0] >= 128 or token[:1].isalnum() or token[:1] == b"_"


def _is_kept(token: bytes) -> bool:
    return token.isascii() and token.lower().decode() in KEPT


def _is_member(text: bytes, start: int) -> bool:
    return text[start - 1 : start] == b"." or text[max(start - 2, 0) : start] == b"::"
