"""What git keeps in text, read without git: where the history lies, the commit of HEAD, the names of the remotes.

Nothing is followed: a link, a `gitdir:` that leads out of the folder that the user named, an index or objects that lie
elsewhere are refused, because git would read them for this repository's. Addresses of remotes can hold passwords; only
owner/repository leaves this module. Refusals are `GitError`s, whose text goes into the rejection of the repository.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from corpora.code.optout import repository_name
from corpora.sources.beneath import Beneath

TEXT_BYTES, _REFERENCES_BYTES = 1_000_000, 64_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REFERENCE = re.compile(r"ref: (refs/[^\s:?*\[\\^~\x00-\x1f]+)")
_SECTION = re.compile(r"\s*\[\s*([^\]]*)\]")
_REMOTE = re.compile(r'remote\s+"([^"]*)"', re.IGNORECASE)
_URL = re.compile(r"\s*url\s*=\s*\"?([^\s\";#]*)", re.IGNORECASE)
_PUBLIC = re.compile(r"(?:https?|ssh|git|git\+ssh)://|[\w.-]+@[\w.-]+:(?!/)")
"""Addresses that name a repository for everybody; a path on this machine does not."""


class GitError(ValueError):
    """What git, or what it keeps, does not allow; the text goes into the rejection of the repository."""


@dataclass(frozen=True)
class Git:
    """Where a repository keeps its history, and what it says without git's help."""

    folder: Path
    """With HEAD and the index."""
    common: Path
    """With objects and references: the same folder, unless it is a linked working tree."""
    commit: str
    """"" before the first one."""
    remotes: tuple[str, ...]
    """Names (owner/repository) of its public remotes, `origin` first."""


def git_folder(root: Path, within: Path) -> Path | None:
    """Find where a checkout keeps its history: `.git`, or where that file leads if it is below `within`; None without one."""
    dot = root / ".git"
    if dot.is_symlink():
        return None
    if dot.is_dir():
        return dot
    with Beneath(root) as below:
        data = below.read(".git", 4_096)
    if not isinstance(data, bytes) or not data.startswith(b"gitdir: "):
        return None
    target = Path(os.path.realpath(root / os.fsdecode(data[8:].rstrip(b"\n"))))
    return target if target.is_relative_to(os.path.realpath(within)) and target.is_dir() else None


def is_checkout(folder: Path) -> bool:
    """Whether a folder is the top of a checkout."""
    return os.path.lexists(folder / ".git")


def is_bare(folder: Path) -> bool:
    """Whether a folder is a git repository without files beside it."""
    try:
        return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and not is_checkout(folder)
    except OSError:  # a folder that nobody may look into
        return False


def open_git(folder: Path) -> Git:
    """Read commit and remotes; links and objects that lie elsewhere are refused."""
    common = folder
    try:
        with Beneath(folder) as below:
            if isinstance(other := below.read("commondir", 4_096), bytes):
                common = Path(os.path.realpath(folder / os.fsdecode(other.strip())))
            with Beneath(common) as shared:
                _refuse_elsewhere(folder, common)
                return Git(folder, common, _head(below, shared), _remotes(shared))
    except OSError as error:
        raise GitError(f"what git keeps cannot be read: {error.strerror}") from None


def public_name(address: str) -> str:
    """Give owner/repository of a public address; "" for a path and for what hides a secret where no name can.

    >>> public_name("https://ann:secret@github.com/Ann/Tool.git"), public_name("/srv/git/tool.git")
    ('ann/tool', '')
    """
    name = repository_name(address) if _PUBLIC.match(address) else ""
    return name if "/" in name else ""


def _head(below: Beneath, shared: Beneath) -> str:
    """Read the commit that HEAD names, as git does: a commit, or a reference in a file of its own or a packed one."""
    text = _line(below, "HEAD")
    if _COMMIT.fullmatch(text):
        return text
    match = _REFERENCE.fullmatch(text)
    if not match or ".." in match[1] or match[1].endswith("/.invalid"):
        raise GitError("HEAD names no branch of files (a reftable, or damage)")
    for place in (below, shared):
        if _COMMIT.fullmatch(value := _line(place, match[1])):
            return value
    packed = shared.read("packed-refs", _REFERENCES_BYTES)
    wanted = f" {match[1]}".encode()
    for line in packed.split(b"\n") if isinstance(packed, bytes) else ():
        if line.endswith(wanted) and _COMMIT.fullmatch(value := line[: -len(wanted)].decode("ascii", "replace")):
            return value
    return ""


def _line(below: Beneath, file: str) -> str:
    data = below.read(file, 4_096)
    return data.decode("utf-8", "surrogateescape").strip() if isinstance(data, bytes) else ""


def _remotes(shared: Beneath) -> tuple[str, ...]:
    """Read the remotes' addresses; only their public names leave this function."""
    data = shared.read("config", TEXT_BYTES)
    found: dict[str, str] = {}
    remote = ""
    for line in data.decode("utf-8", "replace").splitlines() if isinstance(data, bytes) else ():
        if section := _SECTION.match(line):
            named = _REMOTE.fullmatch(section[1].strip())
            remote = named[1] if named else ""
        elif remote and (match := _URL.match(line)) and (name := public_name(match[1])):
            found.setdefault(remote, name)
    ordered = sorted(found, key=lambda one: (one != "origin", one))
    return tuple(dict.fromkeys(found[remote] for remote in ordered))


def _refuse_elsewhere(folder: Path, common: Path) -> None:
    """Refuse an index and objects that lie elsewhere: they would be read for this repository's."""
    index = folder / "index"
    if os.path.lexists(index) and (index.is_symlink() or not index.is_file()):
        raise GitError("its index is a link or no file")
    if os.path.lexists(common / "objects/info/alternates"):
        raise GitError("its objects lie in another repository (objects/info/alternates); run git repack -a -d there")
    for place in ("", "objects", "objects/pack"):
        if (common / place).is_dir():
            with os.scandir(common / place) as entries:
                for entry in entries:
                    if entry.is_symlink() and (place or entry.name in ("objects", "refs")):
                        raise GitError(f"{place}/{entry.name} is a link")
