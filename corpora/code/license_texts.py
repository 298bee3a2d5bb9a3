"""Which licences the texts beside the code are: LICENSE, COPYING, COPYRIGHT and the like, several in one folder.

A classifier finds licences in a text, and where in it they stand. What stands around them decides too: names, titles and
notes such as "provided under the MIT license shown below" change nothing, but a sentence that restricts, that grants
something else, or that names terms which are not permissive makes the text unknown. A text without a licence in it is
unknown, unless it only points to another, or says of the project what another text beside it says. What is unknown is no
permission, and one unknown text makes its folder unknown. All patterns are linear.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from corpora.code.license import UNKNOWN

_PART_SHARE = 0.4
"""Share of a text, in characters, that licences have to be where the rest was looked at; ours. The classifier takes 75% of the
words for a whole."""
_POINTER_CHARACTERS = 1000
"""A text that says where the licences are is short."""
_LEAD_CHARACTERS = 300
_NAMED = re.compile(
    r"gpl|\bgnu\b|copyleft|mozilla|\bmpl|eclipse|\bepl\b|\bcddl\b|\bsspl\b|\bbusl\b|business source|commons clause"
    r"|\bartistic\b|\bofl\b|open font|public source licen|creative commons|\bcc[- ]by\b|share-?alike|non-?commercial"
    r"|commercial licen|proprietary(?! derivatives)|confidential|trade secret|enterprise|end[- ]user",
    re.IGNORECASE,
)
"""Terms that are not permissive, by name."""
_CONDITIONAL = re.compile(
    r"commercial|\bfees?\b|royalt|evaluation|academic|educational|may (?:not|only)|must not|shall not|can ?not|not be\b"
    r"|not permitted|not allowed|not licensed|prohibit|forbid|restricted|restricts|only (?:for|if|be)\b"
    r"|without (?:prior |written )+|subject to|you agree|licen[cs]ed (?:differently|separately)|additional terms",
    re.IGNORECASE,
)
"""Conditions; of prose around a licence or instead of one."""
_FORBIDDING = re.compile(r"commons clause|non-?commercial|commercial licen|not for commercial", re.IGNORECASE)
"""What takes back a licence that is nearly the whole text."""
_GRANTING = re.compile(
    r"permission|permitted|redistribut|hereby|granted\b|\bgrants\b|licensee\b|conditions|you (?:may|can) (?:use|copy|modify)",
    re.IGNORECASE,
)
"""Words of a text that is a licence itself, one that nobody here knows."""
_FOREIGN_SHARE, _ENGLISH_SHARE = 0.1, 0.1
_ENGLISH = re.compile(
    r"\b(?:and|are|as|by|for|from|in|is|it|of|on|or|that|the|this|to|under|was|which|with|you)\b", re.IGNORECASE
)
_RESERVED = re.compile(r"rights? reserved", re.IGNORECASE)
_TERMS = re.compile(
    r"(?:licen[cs]ed|distributed|released|provided|available|published|covered) (?:\w+ ){0,2}under\b|covered by|licen[cs]e ?:",
    re.IGNORECASE,
)
_TERMS_CHARACTERS = 80
_PERMISSIVE_TERMS = re.compile(
    r"\b(?:MIT|Expat|BSD|Apache|ISC|(?i:zlib)|Boost|PSF|Python|CC0|0BSD|Unlicense)\b"
    r"|(?i:permissive|public domain|\bfollowing\b|\bbelow\b|\bsame\b)"
)
"""What has to be named after words of `_TERMS`."""
_WHOLE = re.compile(r"\bas a whole is licensed under the following (?:\w+ ){0,3}licen[cs]e:\W*", re.IGNORECASE)
_CHOICE = re.compile(r"\beither[\s*_]+of\b|\bat your (?:option|choice)\b|\bone of the following\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.;:](?=\s)")
_FILE = re.compile(r"[\w./-]{0,100}(?:LICEN[CS]E|COPYING)[\w.-]{0,100}")
_ABOVE = re.compile(
    r"(?:\.\./){1,16}[\w./-]{0,100}(?:LICEN[CS]E|COPYING)|(?:LICEN[CS]E|COPYING)[\w.]{0,20} file in the (?:project|repository) root"
)
"""A licence file above, by path or by place."""
_PYTHON = ("A. HISTORY OF THE SOFTWARE", "FOUNDATION LICENSE VERSION 2", "BEOPEN", "CNRI LICENSE", "CWI LICENSE")
_PYTHON_END, _PYTHON_CHARACTERS = "PERFORMANCE OF THIS SOFTWARE.", 14_500

_Region = tuple[str, int, int]
"""A licence, and where in a text it starts and ends."""


def from_license_texts(texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Name what the licence files of one folder ask for together, and which files say so; None where they say nothing.

    Of a short text that offers a choice of files beside it, one is asked for; of all others all are.
    """
    known = {name: identify(texts[name]) for name in sorted(texts)}
    found = {name for name, licenses in known.items() if licenses}
    silent = {name for name in known if not known[name] and _is_silent(name, texts, found)}
    for name in known:
        if name not in found | silent:
            return UNKNOWN, f"{name}: not a known licence text"
    if not found:
        return None
    choices = {name: _offered(name, texts, found) for name in silent}
    chooser = min((name for name, some in choices.items() if len(some) > 1), default="")
    expression = _joined({name: known[name] for name in found}, choices.get(chooser, frozenset()))
    return expression, ", ".join(sorted({*found, *([chooser] if chooser else [])}))


def _joined(known: Mapping[str, frozenset[str]], chosen: frozenset[str]) -> str:
    """Ask for the licences of all files, of those that are a choice for one file's."""
    options = {_all_of(known[name]) for name in chosen}
    if len(options) < 2:
        return _all_of(frozenset().union(*known.values()))
    choice = " OR ".join(f"({one})" if " " in one else one for one in sorted(options))
    others = _all_of(frozenset().union(*(licenses for name, licenses in known.items() if name not in chosen)))
    return f"{others} AND ({choice})" if others else choice


def _all_of(licenses: Collection[str]) -> str:
    return " AND ".join(sorted(licenses))


def is_copyright(name: str) -> bool:
    """Whether a file is called COPYRIGHT: some are licences, most are lists of holders."""
    return name.rpartition("/")[2].lower().startswith("copyright")


def _is_silent(name: str, texts: Mapping[str, str], found: set[str]) -> bool:
    """Whether an unknown text may be passed over: it leaves to others what the licence is."""
    text = texts[name]
    if is_copyright(name) and (found or _is_harmless(_RESERVED.sub("", text))):
        return True
    named, beside = _FILE.search(text), _mentioned(name, texts, found)
    if len(text) <= _POINTER_CHARACTERS and (beside or _ABOVE.search(text)):
        return _is_lenient(_FILE.sub("", text))
    return bool(found) and (not named or bool(beside)) and _is_prose(text) and _is_harmless(text)


def _offered(name: str, texts: Mapping[str, str], found: set[str]) -> frozenset[str]:
    """List the known licence files beside one of which its text offers one, in the sentence that says so."""
    choice = _CHOICE.search(texts[name])
    sentence = _SENTENCE_END.split(texts[name][choice.start() :], maxsplit=1)[0] if choice else ""
    return _mentioned(name, {name: sentence}, found)


def _mentioned(name: str, texts: Mapping[str, str], found: set[str]) -> frozenset[str]:
    """List the known licence files beside one that its text names."""
    words = {word.rpartition("/")[2].rstrip(".") for word in _FILE.findall(texts[name])}
    return frozenset(other for other in found if other != name and other.rpartition("/")[2] in words)


@functools.lru_cache(maxsize=512)
def identify(text: str) -> frozenset[str]:
    """Name the licences that a text is; none where it is more or less than that."""
    from licenseclassifier import identify_license

    if found := identify_license(text):
        whole = _apart(text, found)
        return frozenset() if _FORBIDDING.search(_outside(text, whole)) else _names(whole)
    regions = _apart(text, identify_license(text, 1.0))
    rest = _outside(text, regions)
    covered = sum(end - start for _, start, end in regions)
    if covered >= _PART_SHARE * len(text) > 0 and _is_harmless(_RESERVED.sub("", rest)):
        return _names(regions)
    lead = _WHOLE.search(text, 0, _LEAD_CHARACTERS)
    if lead and regions and regions[0][1] <= lead.end() + _LEAD_CHARACTERS and not _NAMED.search(rest):
        return _names(regions)
    return frozenset()


def identify_header(text: str) -> frozenset[str]:
    """Name the licences that the head of a file grants in full; none where it names other terms beside them."""
    from licenseclassifier import identify_license

    rest = _outside(text, _apart(text, identify_license(text, 1.0)))
    return frozenset() if _NAMED.search(rest) else identify(text)


def _is_lenient(text: str) -> bool:
    """Whether prose restricts nothing and names no terms that are not permissive; of what it says in another script, who knows."""
    foreign = sum(not mark.isascii() for mark in text) > _FOREIGN_SHARE * len(text)
    return not foreign and not any(pattern.search(text) for pattern in (_NAMED, _CONDITIONAL, _RESERVED))


def _is_harmless(text: str) -> bool:
    """Whether prose is lenient, grants nothing itself, and whatever terms it names are permissive."""
    plain = " ".join(text.split())
    if not plain or not _is_lenient(plain) or _GRANTING.search(plain):
        return False
    after = (plain[match.end() : match.end() + _TERMS_CHARACTERS] for match in _TERMS.finditer(plain))
    return all(_PERMISSIVE_TERMS.search(words) for words in after)


def _is_prose(text: str) -> bool:
    """Whether a text is English: the words that count as grants and restrictions are."""
    return sum(1 for _ in _ENGLISH.finditer(text)) >= _ENGLISH_SHARE * len(text.split())


def _apart(text: str, found: Sequence[Any]) -> list[_Region]:
    """Put what the classifier found in order, without overlaps; Python's own collection is one."""
    python = _python(text)
    apart = [
        (one.id, one.start, one.end) for one in found if not any(start <= one.start < end for _, start, end in python)
    ]
    return sorted(python + apart, key=lambda region: region[1])


def _names(regions: Sequence[_Region]) -> frozenset[str]:
    return frozenset(name for name, _, _ in regions)


def _python(text: str) -> list[_Region]:
    """Find CPython's collection of its licences, whose first has changed since the classifier learned it."""
    start = place = text.find(_PYTHON[0])
    for heading in (*_PYTHON, _PYTHON_END):
        place = text.find(heading, place) if place >= 0 else place
    end = place + len(_PYTHON_END)
    return [("Python-2.0.1", start, end)] if place >= 0 and end - start <= _PYTHON_CHARACTERS else []


def _outside(text: str, regions: Sequence[_Region]) -> str:
    """Give what is in none of the regions, on one line."""
    pieces, last = [], 0
    for _, start, end in regions:
        pieces.append(text[last:start])
        last = max(last, end)
    return " ".join("\n".join([*pieces, text[last:]]).split())
