"""Archives as repositories: what they hold is read where it lies, in one forward pass, and never written to disk.

Listing passes once through an archive for names, sizes, licence texts and damage; an archive that is damaged anywhere is
refused whole, since what is missing could be its licence. One folder that holds everything is taken off the paths. The
commit is where `git archive` and GitHub write it: in the pax comment of a tar file, in the comment of a zip file. Members
that are links, devices or encrypted, that have the name of an earlier one, and names that lead out or are no text are
refused one by one. Archives inside archives are files like any other, and in no language.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from corpora.code import languages
from corpora.code import license as licenses
from corpora.sources import SKIPPED_FOLDERS, Refusal, Repository, bounded, is_name, shown
from corpora.sources.beneath import as_text
from corpora.sources.nearest import MAXIMUM_LICENSE_BYTES, answers, says_license
from corpora.sources.tars import ArchiveError, Member, TarArchive
from corpora.sources.zips import DAMAGE, ZipArchive

_DAMAGE = (*DAMAGE, lzma.LZMAError, MemoryError)
MAXIMUM_MEMBERS = 2_000_000
_LICENSE_TEXTS_BYTES = 64 << 20
"""Of licence texts and metadata that are held while an archive is listed; what comes later is unknown, which is no permission."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_API_FOLDER = re.compile(r"(.+)-[0-9a-f]{7,12}")
"""Top folder of GitHub's API archives: owner-repository-commit."""
_DESCRIPTION = ".dist-info/METADATA"
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

FORMATS: dict[str, Callable[[BinaryIO], TarArchive | ZipArchive]] = {
    ".tar": lambda raw: TarArchive(raw, ""),
    ".tar.gz": lambda raw: TarArchive(raw, "gz"),
    ".tgz": lambda raw: TarArchive(raw, "gz"),
    ".tar.bz2": lambda raw: TarArchive(raw, "bz2"),
    ".tar.xz": lambda raw: TarArchive(raw, "xz"),
    ".tar.zst": lambda raw: TarArchive(raw, "zst"),
    ".zip": ZipArchive,
}
"""Suffix of a file name and what opens it."""


def suffix(name: str) -> str:
    """Give the suffix of an archive's name; "" for another file's.

    >>> suffix("a-1.0.TAR.gz"), suffix("a.gz")
    ('.tar.gz', '')
    """
    return next((one for one in FORMATS if name.lower().endswith(one) and len(name) > len(one)), "")


def repository(name: str, path: Path, *, source: str) -> Repository:
    """List an archive; one that cannot be read whole is a repository without files that says why."""
    try:
        return _listed(name, path, source)
    except _DAMAGE as error:
        return _make(name, path, source, refused=(("", *_why(error)),))


def contents(repository: Repository, max_bytes: int) -> Iterator[tuple[str, bytes | dict[str, Any]]]:
    """Read the files of a repository that is an archive, each whole or refused, in the archive's order."""
    wanted = set(repository.files)
    try:
        with _open(Path(repository.root)) as archive:
            for path, reason, member in _members(archive):
                file = path.removeprefix(repository.prefix)
                if reason is None and file in wanted:
                    wanted.remove(file)
                    yield file, _content(member, max_bytes)
                if not wanted:
                    break
    except _DAMAGE as error:
        reason, evidence = _why(error)
    else:
        reason, evidence = "unreadable", "the archive changed while it was read"
    yield from ((file, {"reason": reason, "evidence": evidence}) for file in sorted(wanted))


def _why(error: BaseException) -> tuple[str, str]:
    """Give reason and evidence of an archive's rejection."""
    if isinstance(error, ArchiveError):
        return error.reason, str(error)
    return "corrupt", f"{type(error).__name__}: {error}"[:200]


def _listed(name: str, path: Path, source: str) -> Repository:
    sizes: dict[str, int] = {}
    texts: dict[str, str] = {}
    refused: list[Refusal] = []
    left, latest = _LICENSE_TEXTS_BYTES, 0
    with _open(path) as archive:
        for file, reason, member in _members(archive):
            if reason:
                refused.append((shown(file), reason, "a member of the archive"))
                continue
            if says_license(file):
                short = member.size <= min(left, MAXIMUM_LICENSE_BYTES)
                texts[file] = as_text(member.read(member.size)) if short else ""
                left -= member.size if short else 0
            head = texts[file][:2].encode() if file in texts else None
            by_first_line = languages.is_script(file) and not file.endswith(_DESCRIPTION)
            if by_first_line and (member.read(2) if head is None else head) != b"#!":
                continue
            sizes[file] = member.size
            latest = max(latest, member.time)
        commit = archive.comment.strip()
    prefix = _top_folder(sizes)
    found = answers({file.removeprefix(prefix): text for file, text in texts.items()})
    files = sorted(sizes, key=lambda file: file.removeprefix(prefix))
    return _make(
        name,
        path,
        source,
        prefix=prefix,
        files=tuple(file.removeprefix(prefix) for file in files),
        sizes=tuple(sizes[file] for file in files),
        licenses_=found,
        refused=bounded(refused),
        revision=commit if _COMMIT.fullmatch(commit) else "",
        time=latest,
    )


def _make(
    name: str,
    path: Path,
    source: str,
    *,
    prefix: str = "",
    files: tuple[str, ...] = (),
    sizes: tuple[int, ...] = (),
    licenses_: tuple[tuple[str, str, str], ...] = (),
    refused: tuple[Refusal, ...] = (),
    revision: str = "",
    time: int = 0,
) -> Repository:
    root = next((one[1:] for one in licenses_ if not one[0]), (licenses.UNKNOWN, "no licence file"))
    return Repository(
        name=name,
        source=source,
        revision=revision,
        root=str(path),
        files=files,
        license=root[0],
        license_evidence=root[1],
        by_folder=True,
        date=datetime.fromtimestamp(time, timezone.utc).isoformat() if revision and 0 < time < 1 << 33 else None,
        kind="archive",
        prefix=prefix,
        aliases=_aliases(prefix),
        sizes=sizes,
        licenses=licenses_,
        refused=refused,
    )


@contextmanager
def _open(path: Path) -> Iterator[TarArchive | ZipArchive]:
    """Open an archive that is a regular file; a link or a pipe of its name is not one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ArchiveError("unreadable", error.strerror or "it cannot be opened") from None
    with open(descriptor, "rb") as raw:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArchiveError("not_regular", "a pipe, a device or a socket")
        yield FORMATS[suffix(path.name)](raw)


def _members(archive: TarArchive | ZipArchive) -> Iterator[tuple[str, str | None, Member]]:
    """List files with the reason why one is not read, the same way each time; folders and tool folders are left out."""
    seen: set[str] = set()
    for count, member in enumerate(archive, start=1):
        if count > MAXIMUM_MEMBERS:
            raise ArchiveError("bomb", f"more than {MAXIMUM_MEMBERS} members")
        path = member.path
        while path.startswith("./"):
            path = path[2:]
        if member.is_folder and not member.reason:
            continue
        reason = member.reason or _name_reason(path) or ("duplicate_name" if path in seen else None)
        if reason is None:
            seen.add(path)
            if not SKIPPED_FOLDERS.isdisjoint(path.split("/")[:-1]):
                continue
        yield path, reason, member


def _name_reason(path: str) -> str | None:
    r"""Say why a path is not taken: it leads out on some machine, or no file of ours can hold it.

    >>> [_name_reason(path) for path in ("a/b.py", "a/../../b.py", "/b.py", "C:\\b.py", "a\\b.py", "a//b.py")]
    [None, 'outside', 'outside', 'outside', 'file_name', 'file_name']
    """
    if path.startswith(("/", "\\")) or ".." in re.split(r"[\\/]", path) or _DRIVE.match(path):
        return "outside"
    odd = "\\" in path or not is_name(path) or any(part in ("", ".") for part in path.split("/"))
    return "file_name" if odd else None


def _content(member: Member, max_bytes: int) -> bytes | dict[str, Any]:
    if member.size > max_bytes:
        return {"reason": "file_bytes", "value": float(member.size), "bound": float(max_bytes)}
    try:
        data = member.read(member.size)
    except ArchiveError as error:
        return {"reason": error.reason, "evidence": str(error)}
    return data if len(data) == member.size else {"reason": "corrupt", "evidence": "shorter than it declares"}


def _top_folder(files: dict[str, int]) -> str:
    tops = {file.partition("/")[0] if "/" in file else "" for file in files}
    return f"{tops.pop()}/" if len(tops) == 1 and "" not in tops else ""


def _aliases(prefix: str) -> tuple[str, ...]:
    """Name whom a top folder `owner-repository-commit` may be of: each way to divide it, since both may have dashes."""
    match = _API_FOLDER.fullmatch(prefix.rstrip("/"))
    parts = match[1].split("-") if match else []
    return tuple("-".join(parts[:place]) + "/" + "-".join(parts[place:]) for place in range(1, len(parts)))
