"""Under which licence a file may be used: from metadata, from a licence file's text, from an SPDX tag in the file.

The decision is conservative: a licence that cannot be named is no permission. A compound expression is allowed when every
part joined by AND is, and one of those joined by OR. Sources: SPDX specification 2.3, annex D; PEP 639; PEP 301 (classifiers).
"""

from __future__ import annotations

import functools
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

_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "License :: OSI Approved :: zlib/libpng License": "Zlib",
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
}
"""The classifier names no BSD variant; three clauses are assumed, which ask the most."""
_FREE_TEXT = (
    (
        re.compile(
            r"apache[\s-]*(?:software\s*)?(?:license\s*)?,?\s*(?:version\s*)?v?2(?:\.0)?|^apache license$", re.I
        ),
        "Apache-2.0",
    ),
    (re.compile(r"^\s*(?:the\s+)?mit(?:[\s-]license)?\s*$", re.I), "MIT"),
    (re.compile(r"bsd[\s-]*3|3-clause|new bsd|modified bsd", re.I), "BSD-3-Clause"),
    (re.compile(r"bsd[\s-]*2|2-clause|simplified bsd", re.I), "BSD-2-Clause"),
    (re.compile(r"^bsd(?: license)?$", re.I), "BSD-3-Clause"),
    (re.compile(r"^isc(?: license)?$", re.I), "ISC"),
    (re.compile(r"^(?:psf|python software foundation license)", re.I), "PSF-2.0"),
)
_SPDX_TAG = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+() -]+?)\s*(?:\*/|-->|$)", re.M)
_TAG_SCAN_CHARACTERS = 4096
_EXPRESSION = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


def from_classifiers(classifiers: Sequence[str]) -> str:
    """Turn trove classifiers into an expression; several are a choice, as their packages mean them.

    >>> from_classifiers(["License :: OSI Approved :: MIT License"])
    'MIT'
    """
    found = sorted({_CLASSIFIERS[name] for name in classifiers if name in _CLASSIFIERS})
    return " OR ".join(found)


def from_free_text(text: str) -> str:
    """Read the short text that packages put in their `License` field.

    >>> [from_free_text(text) for text in ("Apache 2.0 License", "MIT", "MPL-2.0 AND MIT", "see file")]
    ['Apache-2.0', 'MIT', 'MPL-2.0 AND MIT', '']
    """
    line = text.strip()
    if len(line) > 100 or not line:
        return UNKNOWN
    for pattern, name in _FREE_TEXT:
        if pattern.search(line):
            return name
    return line if _is_expression(line) else UNKNOWN


def spdx_tag(text: str) -> str:
    r"""Read the SPDX tag in the head of a file, or nothing.

    >>> spdx_tag("# SPDX-License-Identifier: MIT OR Apache-2.0\\nimport os\\n")
    'MIT OR Apache-2.0'
    """
    match = _SPDX_TAG.search(text, 0, _TAG_SCAN_CHARACTERS)
    return match[1] if match else UNKNOWN


@functools.lru_cache(maxsize=4096)
def from_license_text(text: str) -> str:
    """Name the licences whose text a licence file holds; all of them are asked for."""
    from licenseclassifier import identify_license

    found = sorted({result.id for result in identify_license(text)})
    return " AND ".join(found)


def allowed(expression: str, allow: Collection[str]) -> bool:
    """Whether the allow-list permits the expression.

    >>> [allowed(e, PERMISSIVE) for e in ("MIT", "GPL-3.0-only OR MIT", "MIT AND MPL-2.0", "Apache-2.0 WITH LLVM-exception")]
    [True, True, False, True]
    """
    tokens = _EXPRESSION.findall(expression)
    if not tokens or not _is_expression(expression):
        return False
    value, rest = _either(tokens, frozenset(allow))
    return value and not rest


def _either(tokens: Sequence[str], allow: frozenset[str]) -> tuple[bool, Sequence[str]]:
    value, rest = _both(tokens, allow)
    while rest and rest[0].upper() == "OR":
        other, rest = _both(rest[1:], allow)
        value = value or other
    return value, rest


def _both(tokens: Sequence[str], allow: frozenset[str]) -> tuple[bool, Sequence[str]]:
    value, rest = _one(tokens, allow)
    while rest and rest[0].upper() in ("AND", "WITH"):
        exception = rest[0].upper() == "WITH"  # an exception only adds permissions to its licence
        other, rest = (True, rest[2:]) if exception else _one(rest[1:], allow)
        value = value and other
    return value, rest


def _one(tokens: Sequence[str], allow: frozenset[str]) -> tuple[bool, Sequence[str]]:
    if not tokens:
        return False, ()
    if tokens[0] == "(":
        value, rest = _either(tokens[1:], allow)
        return (value, rest[1:]) if rest and rest[0] == ")" else (False, ())
    return tokens[0] in allow, tokens[1:]


def _is_expression(text: str) -> bool:
    """Whether the text is made of licence names and operators only: names hold a digit, a dash or are all capitals."""
    words = _EXPRESSION.findall(text)
    if re.sub(r"[\s()]", "", text) != "".join(word for word in words if word not in "()"):
        return False
    names = [word for word in words if word not in ("(", ")") and word.upper() not in ("AND", "OR", "WITH")]
    joined = len(words) == 1 or any(word in ("AND", "OR", "WITH") for word in words)
    return (
        bool(names)
        and joined
        and all(name in PERMISSIVE or re.search(r"[\d-]", name) or name.isupper() for name in names)
    )
