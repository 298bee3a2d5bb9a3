"""Where documents come from: installed distributions, folders, git checkouts and archives, hub datasets, the fixture.

A source lists repositories; a repository lists files and knows its licence. Nothing is read before it is asked for, and
nothing outside the root of a repository is ever read: what leads out, and what is no regular file, is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from corpora.code import languages

MAXIMUM_REFUSALS = 1_000
"""Refused members of one repository that are named; more are counted."""
_MAXIMUM_NAME_BYTES = 4_096
"""Of a whole path, as Linux has it; archives can hold longer ones."""
_NOT_NAME = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and the lone surrogates as which Python shows bytes that are not UTF-8."""
_LICENSE_NAME = re.compile(r"licen|copying|unlicense|copyrights?(?:\.txt|\.md)?$")
_NOT_LICENSE = re.compile(
    r"\.(?:py|pyc|spdx|gradle|csproj|properties|tmpl|vm|hlp|map|png|jpe?g|gif|ico|svg|pdf|gz|license)$"
)
_PROSE = frozenset({"Text", "Markdown", "reStructuredText", "HTML", "AsciiDoc", "TeX"})
"""Languages of licence texts; `License.java` and `licensing.go` are about licences."""
SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".tox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache"}
)

Refusal = tuple[str, str, str]
"""(path, reason, evidence) of what a listing found and nobody reads."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One unit of the held-out split: a distribution, a checkout, a folder; plain data, so it travels to workers."""

    name: str
    """Owner and repository where an address or the layout says so, else the source's name and the folder's."""
    source: str
    """`installed`, `fixture` or the name in luigi.cfg [sources]."""
    revision: str
    """Version, commit, or "" where there is none."""
    root: str
    files: tuple[str, ...]
    """Paths below the root, with forward slashes, sorted."""
    license: str
    """SPDX expression of the whole repository, "" when none was found."""
    license_evidence: str
    by_folder: bool = False
    """Whether parts of it may have licences of their own though the whole has none."""
    date: str | None = None
    kind: str = "folder"
    """`folder`, `archive` (a tar or zip file) or `bare` (a git repository without files beside it)."""
    prefix: str = ""
    """Folder of an archive that holds all of its files and is left out of their paths."""
    git: str = ""
    """Folder in which git keeps its history, "" where there is none."""
    aliases: tuple[str, ...] = ()
    """Other names that the opt-out list may know it by: those of its remotes."""
    sizes: tuple[int, ...] = ()
    """Bytes of each file, where listing tells them."""
    licenses: tuple[tuple[str, str, str], ...] = ()
    """(folder, expression, evidence) of the folders that have a licence of their own, where listing tells them."""
    refused: tuple[Refusal, ...] = ()

    def path(self, file: str) -> Path:
        """Where a file lies."""
        return Path(self.root, *file.split("/"))


def digest(*parts: str) -> str:
    """Digest strings to 32 hex digits; the parts cannot run into each other."""
    value = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        value.update(len(data).to_bytes(8, "little") + data)
    return value.hexdigest()


def is_name(path: str) -> bool:
    r"""Whether a path can be written in every file of ours: UTF-8 without control characters, of a length that Linux has.

    >>> [is_name(path) for path in ("a b/é.py", "a\nb.py", "\udcff.py", "x" * 5000)]
    [True, False, False, False]
    """
    return not _NOT_NAME.search(path) and len(path.encode()) <= _MAXIMUM_NAME_BYTES


def shown(path: str) -> str:
    r"""Write any path so that it can be read and stored.

    >>> shown("a\n\udcff.py")
    'a\\x0a\\xff.py'
    """
    text = _NOT_NAME.sub(lambda mark: f"\\x{ord(mark[0]) & 0xFF:02x}", path)
    return text if len(text) <= _MAXIMUM_NAME_BYTES else f"{text[:100]}... ({len(text)} characters)"


def bounded(refused: list[Refusal]) -> tuple[Refusal, ...]:
    """Name the first refusals and count the rest, so that no repository fills a work list with them."""
    more = len(refused) - MAXIMUM_REFUSALS
    rest = [("", "refused_members", f"and {more} more")] if more > 0 else []
    return (*refused[:MAXIMUM_REFUSALS], *rest)


def is_license_file(path: str) -> bool:
    """Whether a path looks like a licence text.

    >>> [is_license_file(path) for path in ("LICENSE", "a/COPYING.txt", "LICENSE.Apache-2.0", "License.cs", "licensing.py")]
    [True, True, True, False, False]
    """
    name = path.rpartition("/")[2].lower()
    if not _LICENSE_NAME.match(name) or _NOT_LICENSE.search(name):
        return False
    return "." not in name or not (spoken := languages.possible(name)) or not _PROSE.isdisjoint(spoken)
