"""Folders and git checkouts of the user's: a checkout or a plain folder is one repository.

A checkout lists what git knows and does not ignore; its identity is its commit and what differs from it. A plain folder
lists every file; its identity is that listing with sizes and times, so that a touched file is read again. The licence of a
file is that of the nearest licence files up the tree; an SPDX tag in the file wins (both are applied where it is read).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from corpora.code import license as licenses
from corpora.sources import Repository, digest, license_beside, walk

_GIT_SECONDS = 60


def repository(name: str, root: Path) -> Repository:
    """List a folder as one repository, at its commit where it is a checkout."""
    files = _listed(root)
    if not files:
        return plain(name, root, source=name)
    dirty = "-dirty" if _git(root, "status", "--porcelain", "--untracked-files=normal", ".") else ""
    return plain(
        name,
        root,
        source=name,
        files=files,
        revision=_git(root, "rev-parse", "HEAD") + dirty,
        date=_git(root, "log", "-1", "--format=%cI") or None,
    )


def plain(
    name: str, root: Path, *, source: str, files: tuple[str, ...] = (), revision: str = "", date: str | None = None
) -> Repository:
    """Make a repository of `files`, or of all files below a folder."""
    expression, evidence = license_beside(root, "") or (licenses.UNKNOWN, "no licence file")
    return Repository(
        name=name,
        source=source,
        revision=revision,
        root=str(root),
        files=files or tuple(walk(root)),
        license=expression,
        license_evidence=evidence,
        date=date,
    )


def inventory(name: str, root: Path) -> dict[str, str]:
    """Digest a folder: commit and changed files of a checkout, else every file with its size and time."""
    if not _listed(root):
        return {name: digest(*(part for file in walk(root) for part in (file, _state(root / file))))}
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", ".")
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    changed = [entry[3:] for entry in status.split("\0") if entry]
    return {name: digest(commit, status, *(_state(top / file) for file in changed))}


def _listed(root: Path) -> tuple[str, ...]:
    """List what git tracks or would track below a folder; nothing for a folder that is no checkout or is ignored in one."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    return tuple(sorted(file for file in listing.split("\0") if file))


def _state(path: Path) -> str:
    try:
        stat = path.lstat()
    except OSError:
        return "gone"
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _git(root: Path, *arguments: str) -> str:
    """Ask git about a checkout; a folder that is none answers nothing."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="surrogateescape", timeout=_GIT_SECONDS, check=False
        )
    except FileNotFoundError:  # no git on this machine: every folder is a plain one
        return ""
    return result.stdout.strip("\n") if result.returncode == 0 else ""
