"""Licences that a project's own metadata or a file's own header states, beside the texts of licence files.

Metadata: the licence field of package.json, Cargo.toml, pyproject.toml, composer.json, setup.cfg, a gemspec, a pom, a PKG-INFO.
It says how licences join ("MIT OR Apache-2.0"), which two licence files side by side cannot; it does not overrule a text that
says something else. Headers: the phrase by which a licence is granted. A header can be stricter than its repository, and
then it counts; it stands alone only where the folder's texts are of several licences and it is one of them in full. All
is read by line patterns in bounded time; nothing is evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from email.parser import HeaderParser
from itertools import takewhile

from corpora.code.headers import license_spans
from corpora.code.license import UNKNOWN, from_classifiers, from_free_text, normalize
from corpora.code.license_texts import identify_header

_HEADER_CHARACTERS = 4096
_MANIFEST_CHARACTERS = 500_000
_NAMES = re.compile(r"[A-Za-z0-9.+-]+")

_HEADERS = (
    ("AGPL-3.0-or-later", "GNU Affero General Public License"),
    ("LGPL-2.1-or-later", "GNU Lesser General Public License"),
    ("LGPL-2.1-or-later", "GNU Library General Public License"),
    ("LGPL-2.1-or-later", "under the terms of the LGPL"),
    ("GPL-2.0-or-later", "GNU General Public License"),
    ("GPL-2.0-or-later", "under the terms of the GPL"),
    ("GPL-2.0-or-later", "under the terms of the GNU GPL"),
    ("GPL-2.0-or-later", "License: GPL"),
    ("GPL-2.0-or-later", "(GPL v2 or later)"),
    ("MPL-2.0", "Mozilla Public License"),
    ("EPL-1.0", "Eclipse Public License v1.0"),
    ("EPL-2.0", "Eclipse Public License"),
    ("CDDL-1.0", "Common Development and Distribution License"),
    ("SSPL-1.0", "Server Side Public License"),
    ("BUSL-1.1", "Business Source License"),
    ("Elastic-2.0", "Elastic License"),
    ("CC-BY-NC-4.0", "Creative Commons Attribution-NonCommercial"),
    ("CC-BY-SA-4.0", "Attribution-ShareAlike"),
    ("CC-BY-SA-4.0", "License: CC BY-SA"),
    ("CC-BY-SA-4.0", "creativecommons.org/licenses/by-sa"),
    ("LicenseRef-Proprietary", "proprietary and confidential"),
    ("LicenseRef-Proprietary", "unauthorized copying of this file"),
    ("LicenseRef-Proprietary", "trade secret"),
    ("Apache-2.0", "Licensed under the Apache License, Version 2.0"),
    ("Apache-2.0", "Apache License v2.0"),
    ("BSL-1.0", "Distributed under the Boost Software License"),
)
"""Phrase in a header and the licence that it means, the strictest first; versions are not read: none of them is allowed."""
_HEADER = tuple(
    (name, phrase.lower().split(), re.compile(r"[\s*#/;%-]+".join(map(re.escape, phrase.split())), re.I))
    for name, phrase in _HEADERS
)
"""With the words of the phrase: few heads have them all, and to look for them takes a tenth of the time."""
_EITHER = re.compile(
    r"dual[- ]licensed|alternatively|either[\s*#/]+(?:license|the|of[\s*#/]+these[\s*#/]+licen)|at your option[\s*#/]+under",
    re.IGNORECASE,
)
_SELECT = re.compile(r"you may select, at your option, one of the above-listed licenses", re.IGNORECASE)
_COMMENT = tuple("*/#;-%<!\"'")
_OPERATORS = frozenset({"AND", "OR", "WITH"})


def from_header(text: str) -> str:
    r"""Name the licence that the head of a file grants, or nothing; of several the strictest.

    >>> from_header("/* This file is under the terms of\n * the GNU General Public\n * License. */")
    'GPL-2.0-or-later'
    """
    head = text[:_HEADER_CHARACTERS]
    lowered = head.lower()
    found = [name for name, words, phrase in _HEADER if all(word in lowered for word in words) and phrase.search(head)]
    if not found:
        return UNKNOWN
    versions = {name.partition("-")[0]: name for name in reversed(found)}  # of one licence the version that is named
    several = [name for name in dict.fromkeys(found) if name in versions.values()]
    return " OR ".join(several) if _EITHER.search(head) else found[0]


def alone(text: str, folder: str, allow: Collection[str]) -> str:
    """Name the licence that a file's own header grants in full, where it is one of several that the folder's texts ask for.

    Of a folder with the texts of third parties it is the nearer evidence. "" where the header is no known licence, says
    more than that, or is none of the folder's.
    """
    named = set(_NAMES.findall(folder)) - _OPERATORS
    head = text[:_HEADER_CHARACTERS]
    if len(named) < 2 or named.isdisjoint(allow):
        return UNKNOWN
    if _SELECT.search(" ".join(word for word in head.split() if word != "*")):
        offered = all(name.partition("-")[0] in head for name in named)
        return " OR ".join(sorted(named)) if offered else UNKNOWN
    spans = license_spans(head.encode())
    if not spans:
        return UNKNOWN
    opening = head.encode()[: spans[-1][1]].decode("utf-8", "ignore")
    after = takewhile(lambda line: line.strip().startswith(_COMMENT), head[len(opening) :].splitlines())
    granted = identify_header("\n".join([opening, *after]))
    return " AND ".join(sorted(granted)) if granted <= named else UNKNOWN


def from_manifest(name: str, text: str) -> str:
    r"""Read the licence field of a project's metadata; "" where there is none or it cannot be read.

    >>> from_manifest("Cargo.toml", '[package]\nname = "x"\nlicense = "MIT/Apache-2.0"\n')
    'MIT OR Apache-2.0'
    >>> from_manifest("package.json", '{"license": "(MIT OR GPL-2.0-only)"}')
    '(MIT OR GPL-2.0-only)'
    """
    reader = _MANIFESTS.get(name) or (_gemspec if name.endswith(".gemspec") else None)
    return reader(text) if reader and len(text) <= _MANIFEST_CHARACTERS else UNKNOWN


def is_manifest(name: str) -> bool:
    """Whether a file's name is that of metadata which `from_manifest` reads."""
    return name in _MANIFESTS or name.endswith(".gemspec")


def combine(stated: str, texts: str) -> str:
    """Join what metadata states and what the licence texts beside it say; "" for a text that nobody knows.

    >>> combine("MIT OR Apache-2.0", "Apache-2.0 AND MIT"), combine("ISC", "GPL-3.0-only"), combine("MIT", "MIT")
    ('MIT OR Apache-2.0', 'ISC AND GPL-3.0-only', 'MIT')
    """
    if not stated or not texts:
        return texts
    named, found = (set(_NAMES.findall(one)) - _OPERATORS for one in (stated, texts))
    if found <= named:
        return stated
    if named <= found and " OR " not in stated + texts:
        return texts
    return " AND ".join(f"({one})" if " OR " in one or " WITH " in one else one for one in (stated, texts))


def _json(text: str) -> str:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return UNKNOWN
    value = fields.get("license", fields.get("licenses")) if isinstance(fields, dict) else None
    values = [
        one.get("type") if isinstance(one, dict) else one for one in (value if isinstance(value, list) else [value])
    ]
    expressions = [normalize(one) or from_free_text(one) if isinstance(one, str) else UNKNOWN for one in values]
    return " OR ".join(expressions) if all(expressions) else UNKNOWN  # both formats mean a choice


def _toml(text: str) -> str:
    """Read `license` of [package] or [project]; a slash was Cargo's OR before SPDX."""
    match = re.search(
        r"^license(?:\.text)?[ \t]*=[ \t]*(?:\{[ \t]*text[ \t]*=[ \t]*)?[\"']([^\"'\n]*)", text, re.MULTILINE
    )
    expression = match[1].replace("/", " OR ") if match else ""
    return normalize(expression) or from_free_text(expression) or _classifiers(text)


def _classifiers(text: str) -> str:
    return from_classifiers(re.findall(r"License :: [^\"'\n]+", text))


def _setup(text: str) -> str:
    match = re.search(r"^license[ \t]*=[ \t]*([^\n]+)", text, re.MULTILINE)
    return (normalize(match[1]) or from_free_text(match[1]) if match else UNKNOWN) or _classifiers(text)


def _gemspec(text: str) -> str:
    match = re.search(r"\.licenses?[ \t]*=[ \t]*(\[[^\]\n]*\]|[^\n]*)", text)
    names = re.findall(r"[\"']([^\"'\n]+)[\"']", match[1]) if match else []
    expressions = [normalize(name) or from_free_text(name) for name in names]
    return " OR ".join(expressions) if all(expressions) else UNKNOWN


def _pom(text: str) -> str:
    block = re.search(r"<licenses>(.*?)</licenses>", text, re.DOTALL)
    names = re.findall(r"<name>\s*([^<]+?)\s*</name>", block[1]) if block else []
    expressions = [normalize(name) or from_free_text(name.removeprefix("The ")) for name in names]
    return " OR ".join(expressions) if all(expressions) else UNKNOWN


def _pkg_info(text: str) -> str:
    """Read the metadata of a Python source distribution, as of an installed one: expression, classifiers, then the free field."""
    fields = HeaderParser().parsestr(text.partition("\n\n")[0])
    return (
        normalize(fields.get("License-Expression") or "")
        or from_classifiers(fields.get_all("Classifier") or [])
        or from_free_text(fields.get("License") or "")
    )


_MANIFESTS = {
    "PKG-INFO": _pkg_info,
    "package.json": _json,
    "composer.json": _json,
    "Cargo.toml": _toml,
    "pyproject.toml": _toml,
    "setup.cfg": _setup,
    "pom.xml": _pom,
}
