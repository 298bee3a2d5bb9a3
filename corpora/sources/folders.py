"""Folders and git checkouts of the user's: a checkout or a plain folder is one repository.

The licence of a file is that of the nearest licence file up the tree; an SPDX tag in the file wins (both are applied where
the file is read). The identity of a checkout is its commit and dirty state; of a plain folder its listing with sizes and
times, so that a touched file is read again.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from corpora.code import license as licenses
from corpora.sources import Repository, digest, is_license_file, walk


def repositories(name: str, root: Path) -> Iterator[Repository]:
    """List the one repository of a folder, at its commit where it is a checkout."""
    date = _git(root, "log", "-1", "--format=%cI") or None
    yield plain(name, root, source=name, revision=_git(root, "rev-parse", "HEAD"), date=date)


def plain(name: str, root: Path, *, source: str, revision: str = "", date: str | None = None) -> Repository:
    """Make a repository of all files below a folder."""
    files = tuple(walk(root))
    expression, evidence = nearest_license(root, "")
    return Repository(
        name=name,
        source=source,
        revision=revision,
        root=str(root),
        files=files,
        license=expression,
        license_evidence=evidence,
        date=date,
    )


def inventory(name: str, root: Path) -> dict[str, str]:
    """Digest a folder: commit and changed files of a checkout, else every file with its size and time."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        status = _git(root, "status", "--porcelain", "--untracked-files=all", ".")
        changed = [line[3:] for line in status.splitlines()]
        return {name: digest(commit, status, *(_state(root / file) for file in changed))}
    return {name: digest(*(part for file in walk(root) for part in (file, _state(root / file))))}


def nearest_license(root: Path, file: str) -> tuple[str, str]:
    """Name the licence of the folder that holds `file`, or of the nearest folder above it that has a licence text."""
    folder = file.rpartition("/")[0]
    while True:
        expression, evidence = _license_of(root, folder)
        if expression or not folder:
            return expression, evidence
        folder = folder.rpartition("/")[0]


@functools.lru_cache(maxsize=65536)
def _license_of(root: Path, folder: str) -> tuple[str, str]:
    with os.scandir(root / folder) as entries:
        names = sorted(
            entry.name for entry in entries if entry.is_file(follow_symlinks=False) and is_license_file(entry.name)
        )
    for name in names:
        if expression := licenses.from_license_text(
            (root / folder / name).read_text(encoding="utf-8", errors="replace")
        ):
            return expression, f"{folder}/{name}" if folder else name
    return licenses.UNKNOWN, "no licence text up the tree"


def _state(path: Path) -> str:
    try:
        stat = path.lstat()
    except OSError:
        return "gone"
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _git(root: Path, *arguments: str) -> str:
    """Ask git about a checkout; a folder that is none answers nothing."""
    try:
        command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip("\n") if result.returncode == 0 else ""
