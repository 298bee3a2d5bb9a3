"""Folders and git checkouts of the user's: a checkout, or a plain folder, is one repository; a folder of checkouts is many.

A checkout lists what git knows and does not ignore; its identity is its commit and what differs from it. A plain folder
lists every file; its identity is that listing with sizes and times, so that a touched file is read again. The licence of a
file is that of the nearest licence files up the tree; an SPDX tag in the file wins (both are applied where it is read).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from corpora.code import license as licenses
from corpora.sources import Repository, digest, is_text, license_beside, walk

_GIT_SECONDS = 60


def repositories(name: str, root: Path) -> Iterator[Repository]:
    """List what one source holds: the folder itself, or the folders in it where some of them are checkouts."""
    for label, folder in _parts(name, root):
        yield _checkout(label, folder, source=name) or plain(label, folder, source=name)


def inventory(name: str, root: Path) -> dict[str, str]:
    """Digest a source: commit and changed files of a checkout, else every file with its size and time."""
    return {name: digest(*(part for label, folder in _parts(name, root) for part in (label, _identity(folder))))}


def _parts(name: str, root: Path) -> list[tuple[str, Path]]:
    """Split a folder of checkouts into its folders; loose files beside them belong to no repository and are not read."""
    if not (root / ".git").exists():
        folders = sorted(
            path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and is_text(path.name)
        )
        if any((folder / ".git").exists() for folder in folders):
            return [(f"{name}/{folder.name}", folder) for folder in folders]
    return [(name, root)]


def _checkout(name: str, root: Path, *, source: str) -> Repository | None:
    files = _listed(root)
    if not files:
        return None
    dirty = "-dirty" if _git(root, "status", "--porcelain", "--untracked-files=normal", ".") else ""
    revision = _git(root, "rev-parse", "HEAD") + dirty
    date = _git(root, "log", "-1", "--format=%cI") or None
    return plain(name, root, source=source, files=files, revision=revision, date=date)


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
        by_folder=True,
        date=date,
    )


def _identity(root: Path) -> str:
    if not _listed(root):
        return digest(*(part for file in walk(root) for part in (file, _state(root / file))))
    status = _git(root, "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", ".")
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    changed = [entry[3:] for entry in status.split("\0") if entry]
    return digest(_git(root, "rev-parse", "HEAD"), status, *(_state(top / file) for file in changed))


def _listed(root: Path) -> tuple[str, ...]:
    """List what git tracks or would track below a folder; nothing for a folder that is no checkout or is ignored in one."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return tuple(sorted({file for file in listing.split("\0") if file and is_text(file)}))


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
