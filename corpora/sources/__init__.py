"""Where documents come from: installed distributions, folders and git checkouts, the fixture.

A source lists repositories; a repository lists files and knows its licence. Nothing is read before it is asked for, and
nothing outside the root of a repository is ever read.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.code import license as licenses

_LICENSE_NAMES = ("licen", "copying", "unlicense")
_NOT_LICENSE_SUFFIXES = (".py", ".pyi", ".js", ".json", ".pyc", ".spdx")
MAXIMUM_LICENSE_BYTES = 200_000
"""Longer collections of third parties' licences are not read; they name no single one."""
SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".tox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache"}
)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One unit of the held-out split: a distribution, a checkout, a folder; plain data, so it travels to workers."""

    name: str
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


def walk(root: Path) -> Iterator[str]:
    """List the regular files below a root in order; links are not followed, tool folders and names that are no text skipped."""
    pending = [""]
    while pending:
        folder = pending.pop()
        below = []
        with os.scandir(root / folder) as entries:
            for entry in sorted((entry for entry in entries if is_text(entry.name)), key=lambda entry: entry.name):
                path = f"{folder}{entry.name}"
                if entry.is_file(follow_symlinks=False):
                    yield path
                elif entry.is_dir(follow_symlinks=False) and entry.name not in SKIPPED_FOLDERS:
                    below.append(f"{path}/")
        pending += reversed(below)


def is_text(name: str) -> bool:
    """Whether a file name is UTF-8; Python shows other bytes as lone surrogates, which no JSON or Parquet file holds."""
    return not any("\ud800" <= mark <= "\udfff" for mark in name)


def is_license_file(path: str) -> bool:
    """Whether a path looks like a licence text.

    >>> [is_license_file(path) for path in ("LICENSE", "a/COPYING.txt", "licensing.py")]
    [True, True, False]
    """
    name = path.rpartition("/")[2].lower()
    return name.startswith(_LICENSE_NAMES) and not name.endswith(_NOT_LICENSE_SUFFIXES)


def read_license_texts(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Read licence files below a root; one that is too long to be one licence has the text ""."""
    texts = {}
    for file in files:
        path = root / file
        short = path.stat().st_size <= MAXIMUM_LICENSE_BYTES
        texts[file] = path.read_text(encoding="utf-8", errors="replace") if short else ""
    return texts


@functools.lru_cache(maxsize=65536)
def license_beside(root: Path, folder: str) -> tuple[str, str] | None:
    """Name what the licence files in one folder ask for, with their names as evidence; None without such files."""
    with os.scandir(root / folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    files = [f"{folder}/{name}" if folder else name for name in names if is_license_file(name)]
    return licenses.from_license_texts(read_license_texts(root, files)) if files else None


def nearest_license(root: Path, file: str) -> tuple[str, str] | None:
    """Name the licence of the nearest folder up the tree that has licence files; None when there is none below the root."""
    folder = file.rpartition("/")[0]
    while folder:
        if found := license_beside(root, folder):
            return found
        folder = folder.rpartition("/")[0]
    return None
