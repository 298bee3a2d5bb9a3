"""Under which licence a file may be used: expressions, and what metadata and SPDX tags say.

The decision is conservative: a licence that cannot be named is no permission. A compound expression is allowed when every
part joined by AND is, and one of those joined by OR; what does not parse is not allowed. Where metadata names several
licences without saying how they join, all of them are asked for. Sources: SPDX specification 2.3, annex D; PEP 639; PEP 301
(classifiers).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "PSF-2.0",
    "Python-2.0",
    "Python-2.0.1",
    "Unlicense",
    "Zlib",
)
"""Allowed by default: permissive licences, as The Stack (arXiv 2211.15533, appendix A) restricts itself to."""

UNKNOWN = ""
_MAXIMUM_FREE_TEXT_CHARACTERS = 100
_TAG_SCAN_CHARACTERS = 4096

_CLASSIFIERS = {
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD-3-Clause",
    "OSI Approved :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "OSI Approved :: Zero-Clause BSD (0BSD)": "0BSD",
    "OSI Approved :: zlib/libpng License": "Zlib",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
}
"""The classifier names no BSD variant; three clauses are assumed, which ask the most. Others become LicenseRef names."""
_FREE_TEXT = (
    (re.compile(r"apache(?: software)?(?: licen[cs]e)?,? *-?(?:version *)?v?2(?:\.0)?(?: licen[cs]e)?"), "Apache-2.0"),
    (re.compile(r"(?:the )?(?:mit|expat)(?:[ -]licen[cs]e)?"), "MIT"),
    (
        re.compile(r"(?:(?:new|modified|revised) bsd|bsd[ -]*3(?:-clause)?|3-clause bsd)(?: licen[cs]e)?"),
        "BSD-3-Clause",
    ),
    (re.compile(r"(?:simplified bsd|bsd[ -]*2(?:-clause)?|2-clause bsd)(?: licen[cs]e)?"), "BSD-2-Clause"),
    (re.compile(r"bsd(?: licen[cs]e)?"), "BSD-3-Clause"),
    (re.compile(r"isc(?: licen[cs]e)?"), "ISC"),
    (re.compile(r"psf(?:-2\.0| licen[cs]e)?|python software foundation licen[cs]e"), "PSF-2.0"),
)
"""Whole `License` fields in lower case, as packages write them."""
_SPDX_TAG = re.compile(
    r"^[^\w\n]{0,20}(?:dnl |rem )?SPDX-License-Identifier:[ \t]*([^\n]*)", re.MULTILINE | re.IGNORECASE
)
_COMMENT_END = re.compile(r"[\s\"',;]*(?:\*/|-->|\*\)|#\}|--%>|%>|-\})?[\s\"',;*#]*$")
_MAXIMUM_WORDS = 100
"""Of an expression; a longer one is no licence's, and nothing is evaluated deeper."""
_WORD = re.compile(r"[()]|[A-Za-z0-9.+:-]+")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9.+:-]+")
_OPERATORS = ("AND", "OR", "WITH")
_CANONICAL = {name.lower(): name for name in PERMISSIVE} | {word.lower(): word for word in _OPERATORS}


def normalize(text: str) -> str:
    """Write an SPDX expression in one spelling; "" for what is none.

    >>> [normalize(text) for text in ("mit", "( apache-2.0 or MIT )", "GPL-3.0-only", "MIT AND", "see file")]
    ['MIT', '(Apache-2.0 OR MIT)', 'GPL-3.0-only', '', '']
    """
    words = [_CANONICAL.get(word.lower(), word) for word in _WORD.findall(text)]
    if not 0 < len(words) <= _MAXIMUM_WORDS or _WORD.sub("", text).strip() or _evaluate(words, frozenset()) is None:
        return UNKNOWN
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def allowed(expression: str, allow: Collection[str]) -> bool:
    """Whether the allow-list permits the expression.

    >>> [allowed(e, PERMISSIVE) for e in ("MIT", "GPL-3.0-only OR MIT", "MIT AND MPL-2.0", "Apache-2.0 WITH LLVM-exception")]
    [True, True, False, True]
    """
    return bool(_evaluate(_WORD.findall(normalize(expression)), frozenset(allow)))


def from_classifiers(classifiers: Sequence[str]) -> str:
    """Turn trove classifiers into an expression that asks for all of them.

    >>> from_classifiers(["License :: OSI Approved :: MIT License", "License :: OSI Approved", "Topic :: Utilities"])
    'MIT'
    """
    names = {name.partition(" :: ")[2] for name in classifiers if name.startswith("License :: ")} - {"OSI Approved"}
    return " AND ".join(sorted({_CLASSIFIERS.get(name) or _reference(name) for name in names}))


def from_free_text(text: str) -> str:
    """Read the short text that packages put in their `License` field.

    >>> [from_free_text(text) for text in ("Apache 2.0 License", "MIT", "MPL-2.0 AND MIT", "Dual License", "see file")]
    ['Apache-2.0', 'MIT', 'MPL-2.0 AND MIT', '', '']
    """
    line = " ".join(text.split())
    if not line or len(line) > _MAXIMUM_FREE_TEXT_CHARACTERS:
        return UNKNOWN
    for pattern, name in _FREE_TEXT:
        if pattern.fullmatch(line.lower()):
            return name
    expression = normalize(line)
    vague = expression not in PERMISSIVE and re.fullmatch(r"[A-Za-z]*", expression)  # UNKNOWN, Proprietary, LGPL
    return UNKNOWN if vague else expression


def spdx_tag(text: str) -> str:
    r"""Read the SPDX tags in the head of a file, or nothing; several are all asked for, and a tag may be unreadable.

    >>> spdx_tag("# SPDX-License-Identifier: MIT OR Apache-2.0\nimport os\n")
    'MIT OR Apache-2.0'
    >>> spdx_tag("/* SPDX-License-Identifier: MIT */\n/* SPDX-License-Identifier: GPL-2.0, see COPYING */\n")
    '(MIT) AND (GPL-2.0, see COPYING)'
    """
    if "spdx-" not in text[:_TAG_SCAN_CHARACTERS].lower():  # in most files
        return ""
    lines = (_COMMENT_END.sub("", match[1]) for match in _SPDX_TAG.finditer(text, 0, _TAG_SCAN_CHARACTERS))
    tags = list(dict.fromkeys(line.strip() or "NONE" for line in lines))
    return tags[0] if len(tags) == 1 else " AND ".join(f"({tag})" for tag in tags)


def _reference(classifier: str) -> str:
    """Name a licence that has no SPDX name here, so that it can be read in a rejection and is not allowed."""
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", classifier.rpartition(" :: ")[2]).strip("-")


def _evaluate(words: Sequence[str], allow: frozenset[str]) -> bool | None:
    """Evaluate a whole expression by recursive descent; None when it is none."""
    value, rest = _either(words, allow)
    return None if rest else value


_Partial = tuple[bool, Sequence[str]]
_STUCK = ("?",)
"""Words that no rule takes: what is left of an expression that cannot be read."""


def _either(words: Sequence[str], allow: frozenset[str]) -> _Partial:
    value, rest = _both(words, allow)
    while rest and rest[0] == "OR":
        other, rest = _both(rest[1:], allow)
        value = value or other
    return value, rest


def _both(words: Sequence[str], allow: frozenset[str]) -> _Partial:
    value, rest = _one(words, allow)
    while rest and rest[0] == "AND":
        other, rest = _one(rest[1:], allow)
        value = value and other
    return value, rest


def _one(words: Sequence[str], allow: frozenset[str]) -> _Partial:
    if words and words[0] == "(":
        value, rest = _either(words[1:], allow)
        return (value, rest[1:]) if rest and rest[0] == ")" else (False, _STUCK)
    if not words or words[0] in _OPERATORS or not _NAME.fullmatch(words[0]):
        return False, _STUCK
    value, rest = words[0] in allow, words[1:]
    if rest and rest[0] == "WITH":  # an exception only adds permissions to its licence, and may be what is allowed
        known = len(rest) > 1 and _NAME.fullmatch(rest[1])
        return (value or " ".join([words[0], *rest[:2]]) in allow, rest[2:]) if known else (False, _STUCK)
    return value, rest
