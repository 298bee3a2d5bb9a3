"""What the grammars do not know of their languages, read by eye in files that failed the gate (docs/corpus.md).

A file over its bound is parsed once more with these places painted over, byte for byte: a word that only tells a compiler
more becomes blanks, a name that may not be one becomes another, of a condition the first branch stays. What is no program
is none without them either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TYPESCRIPT = (
    rb"\bexport\s+(?P<blank>type)\s*\*",
    rb"\b(?P<blank>import\(\s*(?:'[^'\n]*'|\"[^\"\n]*\")\s*\)\s*\.)\s*[A-Za-z_$]",
    rb"[<,]\s*(?:const\s+)?(?P<blank>in\s+out|in|out)\s+[A-Z]\w*(?=\s*(?:[,>=]|extends\b))",
)
_RESERVED = (
    rb"break|case|catch|class|const|continue|debugger|delete|do|else|enum|export|extends|false|finally|for|function|if"
    rb"|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with"
)
_JAVASCRIPT = (rb"\bas\s+(?P<name>" + _RESERVED + rb")\s*[,}]",)
_C_SHARP = (rb"^[ \t]*(?P<blank>#[ \t]*pragma\b[^\n]*)",)
_C = (
    rb"^[ \t]*(?P<blank>[A-Z][A-Z0-9_]{3,})[ \t]+[A-Za-z_]\w*[ \t]*[\w*&<:]",  # an export before a type
    rb"\b(?:class|struct|enum|union)[ \t]+(?P<blank>[A-Z][A-Z0-9_]{3,}(?:\([^()\n]*\))?)[ \t]+[A-Za-z_]\w*",
    rb"^[ \t]*(?P<blank>[A-Z][A-Z0-9_]{3,}(?:[ \t]*\([^()\n]*\))?)[ \t]*$",  # a line of a macro alone
)
_PATTERNS = {
    "TypeScript": (*_TYPESCRIPT, *_JAVASCRIPT),
    "TSX": (*_TYPESCRIPT, *_JAVASCRIPT),
    "JavaScript": _JAVASCRIPT,
    "C#": _C_SHARP,
    "C": _C,
    "C++": _C,
}
_COMPILED = {
    language: tuple(re.compile(pattern, re.MULTILINE) for pattern in patterns)
    for language, patterns in _PATTERNS.items()
}
_CONDITIONAL = frozenset(("C", "C++", "C#"))
_DIRECTIVE = re.compile(rb"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b")


def painted(language: str, code: bytes) -> bytes:
    r"""Give a text of the same length in which the parser finds what it knows.

    >>> painted("TypeScript", b"export type * from './a';\n")
    b"export      * from './a';\n"
    """
    if language in _CONDITIONAL:
        code = b"\n".join(_first_branches(code.split(b"\n")))
    for pattern in _COMPILED.get(language, ()):
        code = pattern.sub(_paint, code)
    return code


def _paint(match: re.Match[bytes]) -> bytes:
    kind = str(match.lastgroup)
    start, end = (place - match.start() for place in match.span(kind))
    over = re.sub(rb"[^\n]", b" " if kind == "blank" else b"x", match[kind])
    return match[0][:start] + over + match[0][end:]


def _first_branches(lines: list[bytes]) -> Iterator[bytes]:
    """Blank conditions, and of each all branches but the first."""
    taken: list[bool] = []
    for line in lines:
        found = _DIRECTIVE.match(line)
        word = found[1] if found else b""
        if word in (b"if", b"ifdef", b"ifndef"):
            taken.append(True)
        elif taken and word == b"endif":
            taken.pop()
        elif taken and word:
            taken[-1] = False
        yield b" " * len(line) if word or not all(taken) else line
