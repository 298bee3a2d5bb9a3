"""Bare git repositories (mirrors): the tree of HEAD is listed, and its files are read out of git's objects.

Two questions to list one, and one process that gives the files in order, however many there are. Nothing is checked out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpora.code import languages
from corpora.code import license as licenses
from corpora.sources import SKIPPED_FOLDERS, Refusal, Repository, bounded, is_name, shown
from corpora.sources.beneath import as_text
from corpora.sources.git import Question, asking, commit_date
from corpora.sources.gitfolder import Git, GitError, open_git
from corpora.sources.nearest import MAXIMUM_LICENSE_BYTES, answers, says_license

_ENTRY = re.compile(r"(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)", re.DOTALL)
"""One entry of `git ls-tree -l`: mode, object, bytes, path."""
_FILES = ("100644", "100755", "100664")
_REASONS = {"120000": "link", "160000": "submodule"}
_LICENSE_TEXTS = 20_000
"""Licence texts and metadata of one repository that are read; of more, the rest is unknown, which is no permission."""

_Blobs = dict[str, tuple[str, int]]
"""Object and bytes of each path."""


def repository(name: str, root: Path, *, source: str) -> Repository:
    """List a bare repository."""
    git = open_git(root)
    if not git.commit:
        raise GitError("it has no commit")
    refuse_links(git)
    with asking(git) as ask:
        blobs, refused = _tree(ask, git.commit)
        texts = _texts(ask, [file for file in blobs if says_license(file)], blobs)
        scripts = [file for file in blobs if languages.is_script(file) and not says_license(file)]
        no_script = {file for file, text in texts.items() if languages.is_script(file) and not text.startswith("#!")}
        no_script |= {file for file, data in _read(ask, scripts, blobs, 1_000_000) if data[:2] != b"#!"}
        date = commit_date(ask, git.commit)
    found = answers(texts)
    files = sorted(blobs.keys() - no_script)
    expression, evidence = next((one[1:] for one in found if not one[0]), (licenses.UNKNOWN, "no licence file"))
    return Repository(
        name=(git.remotes or (name,))[0],
        source=source,
        revision=git.commit,
        root=str(root),
        files=tuple(files),
        license=expression,
        license_evidence=evidence,
        by_folder=True,
        date=date,
        kind="bare",
        git=str(root),
        aliases=git.remotes,
        sizes=tuple(blobs[file][1] for file in files),
        licenses=found,
        refused=refused,
    )


def contents(repository: Repository, max_bytes: int) -> Iterator[tuple[str, bytes | dict[str, Any]]]:
    """Read the files of a bare repository at the commit that was planned, each whole or refused."""
    try:
        git = replace(open_git(Path(repository.root)), commit=repository.revision)
        with asking(git) as ask:
            blobs, _ = _tree(ask, git.commit)
            fit = [file for file in repository.files if file in blobs and blobs[file][1] <= max_bytes]
            for file in repository.files:
                if file in blobs and blobs[file][1] > max_bytes:
                    size = float(blobs[file][1])
                    yield file, {"reason": "file_bytes", "value": size, "bound": float(max_bytes)}
            for file, data in zip(fit, ask.objects([blobs[file][0] for file in fit]), strict=True):
                yield file, {"reason": "unreadable", "evidence": "git lacks the object"} if data is None else data
    except (GitError, OSError) as error:
        raise ValueError(f"{repository.root} cannot be read any more: {error}") from None


def refuse_links(git: Git) -> None:
    """Refuse objects that are links: git would follow them."""
    for folder, _, _ in os.walk(git.common / "objects"):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
                    raise GitError(f"objects/{entry.name} is a link or no file")


def _tree(ask: Question, commit: str) -> tuple[_Blobs, tuple[Refusal, ...]]:
    blobs: _Blobs = {}
    refused: list[Refusal] = []
    for entry in ask("ls-tree", "-r", "-z", "-l", "--full-tree", commit).decode("utf-8", "surrogateescape").split("\0"):
        match = _ENTRY.fullmatch(entry)
        if not match or not SKIPPED_FOLDERS.isdisjoint(match[4].split("/")[:-1]):
            continue
        reason = _REASONS.get(match[1]) or (None if is_name(match[4]) and match[1] in _FILES else "file_name")
        if reason:
            refused.append((shown(match[4]), reason, "in the tree of the commit"))
        else:
            blobs[match[4]] = match[2], int(match[3])
    return blobs, bounded(refused)


def _texts(ask: Question, files: list[str], blobs: _Blobs) -> dict[str, str]:
    read = {file: as_text(data) for file, data in _read(ask, files[:_LICENSE_TEXTS], blobs, MAXIMUM_LICENSE_BYTES)}
    return {file: read.get(file, "") for file in files}


def _read(ask: Question, files: list[str], blobs: _Blobs, most: int) -> Iterator[tuple[str, bytes]]:
    """Read those of the files that are not too long; what is too long, or missing, is empty."""
    short = [file for file in files if blobs[file][1] <= most]
    yield from ((file, b"") for file in files if blobs[file][1] > most)
    for file, data in zip(short, ask.objects([blobs[file][0] for file in short]), strict=True):
        yield file, data or b""
