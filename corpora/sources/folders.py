"""Folders, git checkouts, bare clones and archives of the user's: one repository, or a folder of thousands.

A checkout lists what git knows and does not ignore; its identity is its commit and what differs from it. A bare clone is
read at its HEAD. A plain folder lists every file; its identity is that listing with sizes and times, so that a touched file
is read again, and so is an archive's. Submodules are repositories of their own. A repository is called owner/repository
where its remote or the layout says so. Git is asked three times to list a checkout and once for its identity, by a few
threads: of 1,000 checkouts an inventory takes 4 CPU seconds, the listing 9.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from corpora.code import license as licenses
from corpora.sources import Refusal, Repository, archives, bare, bounded, digest, is_name, shown
from corpora.sources.beneath import Beneath, survey
from corpora.sources.discover import Part, parts
from corpora.sources.git import Question, asking, commit_date
from corpora.sources.gitfolder import GitError, git_folder, is_bare, is_checkout, open_git
from corpora.sources.nearest import license_beside

T = TypeVar("T")
_THREADS = min(8, 2 * (os.cpu_count() or 1))
"""Each waits for a git of its own."""
_SUBMODULE_DEPTH = 5
_SUBMODULE_PATH = re.compile(r"\s*path\s*=\s*(\S.*?)\s*")
_ENTRY = re.compile(r"(?:\? |[A-Z] (\d{6}) [0-9a-f]+ \d\t)(.*)", re.DOTALL)
"""One entry of `git ls-files -t --stage`: mode and path, or the path alone of what is not tracked."""
_LINK, _SUBMODULE = "120000", "160000"


def repositories(name: str, root: Path) -> Iterator[Repository]:
    """List what one source holds, each repository under a name of its own."""
    seen: set[str] = set()
    for found in _in_order(lambda part: list(_repositories(part, name)), parts(name, root)):
        for label, one in found:
            chosen = one.name if one.name.lower() not in seen else f"{one.name}/{label}"
            seen.add(chosen.lower())
            yield replace(one, name=chosen)


def inventory(name: str, root: Path) -> dict[str, str]:
    """Digest a source: commit and changed files of a checkout, else every file with its size and time."""
    found = parts(name, root)
    identities = zip(found, _in_order(_identity, found), strict=True)
    return {name: digest(*(one for part, identity in identities for one in (part.label, identity)))}


def plain(name: str, root: Path, *, source: str) -> Repository:
    """Make a repository of all files below a folder."""
    files, refused = [], []
    try:
        for path, reason in survey(root):
            if reason is None:
                files.append(path)
            else:
                refused.append((shown(path), reason, "in the folder"))
    except OSError as error:
        refused.append(("", "unreadable", error.strerror or str(error)))
    return _make(name, root, source, files=tuple(files), refused=bounded(refused))


def _in_order(function: Callable[[Part], T], parts: Iterable[Part]) -> Iterator[T]:
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(function, parts)


def _repositories(part: Part, source: str) -> Iterator[tuple[str, Repository]]:
    """List one part with its submodules; what cannot be listed is a repository without files that says why."""
    name = part.name or part.label
    try:
        if part.root.is_file():
            yield part.label, archives.repository(name, part.root, source=source)
        elif is_bare(part.root):
            yield part.label, bare.repository(name, part.root, source=source)
        else:
            yield from _checkout(part, name, source) or [(part.label, plain(name, part.root, source=source))]
    except GitError as error:
        yield part.label, _make(name, part.root, source, refused=(("", "git", str(error)),))
    except OSError as error:
        yield part.label, _make(name, part.root, source, refused=(("", "unreadable", error.strerror or str(error)),))


def _checkout(part: Part, name: str, source: str) -> list[tuple[str, Repository]]:
    """List a checkout, or a folder in one, and its submodules; nothing for a folder that is none, or is ignored in one."""
    folder = _history(part)
    if folder is None:
        return []
    git = open_git(folder)
    with asking(git, part.top or part.root) as ask:
        listing = ask(
            "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard", cwd=part.root
        ).decode("utf-8", "surrogateescape")
        files, refused, submodules = _sort_out(part, listing)
        if not files and part.top:
            return []
        dirty = "-dirty" if _changes(ask, part.root, "normal") else ""
        date = commit_date(ask, git.commit)
    one = _make(
        (git.remotes[0] if git.remotes and not part.top else "") or name,
        part.root,
        source,
        files=files,
        refused=refused,
        revision=(git.commit or "") + dirty,
        date=date,
        git=str(folder) if not part.top else "",
        aliases=git.remotes,
    )
    return [(part.label, one), *(found for below in submodules for found in _repositories(below, source))]


def _history(part: Part) -> Path | None:
    """Find git's folder; one that lies where nobody may look is refused."""
    top = part.top or part.root
    if not is_checkout(top):
        return None
    folder = git_folder(top, Path("/") if part.top else part.within)
    if folder is None:
        raise GitError(
            ".git is a link or leads out of the folder that luigi.cfg names; name this checkout itself there"
        )
    return folder


def _sort_out(part: Part, listing: str) -> tuple[tuple[str, ...], tuple[Refusal, ...], list[Part]]:
    """Divide what git lists: files, what is not read, and submodules that are checked out."""
    files, submodules, refused = set(), [], set()
    for entry in listing.split("\0"):
        match = _ENTRY.fullmatch(entry)
        if not match:
            continue
        mode, path = match[1], match[2]
        if mode == _SUBMODULE:
            below = _submodule(part, path)
            if below:
                submodules.append(below)
            else:
                refused.add((shown(path), "submodule", "not checked out, or too deep"))
        elif mode == _LINK:
            refused.add((shown(path), "link", "in the index"))
        elif path.endswith("/"):
            refused.add((shown(path), "nested_repository", "no submodule; name it in luigi.cfg [sources]"))
        elif not is_name(path):
            refused.add((shown(path), "file_name", "in the checkout"))
        else:
            files.add(path)
    return tuple(sorted(files)), bounded(sorted(refused)), sorted(submodules, key=lambda below: below.label)


def _submodule(part: Part, path: str) -> Part | None:
    """Find a submodule that is checked out below its parent without a link on the way."""
    if part.top or part.depth >= _SUBMODULE_DEPTH or not is_name(path) or ".." in path.split("/"):
        return None
    try:
        with Beneath(part.root) as below:
            if not any(entry.name == ".git" and not entry.is_symlink() for entry in below.entries(path)):
                return None
    except OSError:
        return None
    within = part.root if part.within == Path("/") else part.within
    return Part(f"{part.label}/{path}", part.root / path, within=within, depth=part.depth + 1)


def _changes(ask: Question, root: Path, untracked: str) -> str:
    """Name what differs from the commit. Submodules are not entered: git would ask theirs by their own configuration."""
    status = ask(
        "status", "--porcelain", "--no-renames", f"--untracked-files={untracked}", "--ignore-submodules=all", "-z", ".",
        cwd=root,
    )  # fmt: skip
    return status.decode("utf-8", "surrogateescape")


def _make(
    name: str,
    root: Path,
    source: str,
    *,
    files: tuple[str, ...] = (),
    refused: tuple[Refusal, ...] = (),
    revision: str = "",
    date: str | None = None,
    git: str = "",
    aliases: tuple[str, ...] = (),
) -> Repository:
    found = license_beside(root, "", metadata=True) or (licenses.UNKNOWN, "no licence file")
    return Repository(
        name=name,
        source=source,
        revision=revision,
        root=str(root),
        files=files,
        license=found[0],
        license_evidence=found[1],
        by_folder=True,
        date=date,
        git=git,
        aliases=aliases,
        refused=refused,
    )


def _identity(part: Part) -> str:
    try:
        if part.root.is_file():
            return digest(_state(part.root))
        if is_bare(part.root):
            git = open_git(part.root)
            return digest(git.commit, *git.remotes)
        return _checkout_identity(part) or digest(*_states(part.root))
    except (GitError, OSError) as error:
        return digest("refused", str(error))


def _states(root: Path) -> Iterator[str]:
    for path, reason in survey(root):
        yield from (path, reason or _state(root / path))


def _checkout_identity(part: Part) -> str:
    """Digest commit, changes with their states, remotes and submodules; "" for a folder that is no checkout."""
    folder = _history(part)
    if folder is None:
        return ""
    git, top = open_git(folder), part.top or part.root
    with asking(git, top) as ask:
        if part.top and not ask("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=part.root):
            return ""
        status = _changes(ask, part.root, "all")
    changed = [entry[3:] for entry in status.split("\0") if entry]
    below = [_identity(found) for path in _submodule_paths(part) if (found := _submodule(part, path))]
    return digest(git.commit, status, *(_state(top / file) for file in changed), *git.remotes, *below)


def _submodule_paths(part: Part) -> list[str]:
    """Read .gitmodules: git lists the same paths, but only with every file beside them."""
    with Beneath(part.root) as below:
        data = below.read(".gitmodules", 1_000_000)
    lines = data.decode("utf-8", "replace").splitlines() if isinstance(data, bytes) else []
    return sorted({match[1] for line in lines if (match := _SUBMODULE_PATH.fullmatch(line))})


def _state(path: Path) -> str:
    try:
        stat = path.lstat()
    except OSError:
        return "gone"
    return f"{stat.st_size} {stat.st_mtime_ns}"
