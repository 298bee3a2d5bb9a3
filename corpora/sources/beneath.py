"""Reading below a folder that strangers filled: no link is followed, nothing but regular files is opened, all in bounds.

Each folder on the way is opened without following links and the next name is looked up in it, so that a path cannot lead
out, whatever is swapped between two calls. A FIFO does not block and a device is not opened. What cannot be read is a value
with its reason: `link`, `not_regular`, `outside`, `file_name`, `unreadable`, `file_bytes`. A file costs about 10 microseconds.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpora.sources import SKIPPED_FOLDERS, Repository, is_name

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ERRORS = {errno.ELOOP: "link", errno.ENOTDIR: "link", errno.EXDEV: "outside"}
"""What the system says of a link where a file or a folder was asked for; and what is said here of a path with `..`."""


class Beneath:
    """What lies below one folder; keeps the folder of the last call open, so that files are best asked for in order."""

    def __init__(self, root: Path | str) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder, self._descriptor = "", os.dup(self._root)

    def __enter__(self) -> Beneath:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)
        os.close(self._descriptor)

    def size(self, file: str) -> int | None:
        """Ask for the bytes of a regular file; None for whatever else is there."""
        folder, _, name = file.rpartition("/")
        try:
            status = os.stat(name, dir_fd=self._open_folder(folder), follow_symlinks=False)
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, file: str, max_bytes: int) -> bytes | dict[str, Any]:
        """Read a file whole; one that is longer is refused by its size, and of one that grows no more is read."""
        found = self._start(file, max_bytes + 1)
        if isinstance(found, dict):
            return found
        data, size = found
        if max(size, len(data)) > max_bytes:
            return {"reason": "file_bytes", "value": float(max(size, len(data))), "bound": float(max_bytes)}
        return data

    def _start(self, file: str, count: int) -> tuple[bytes, int] | dict[str, Any]:
        """Read the first bytes of a file, none where it is longer than `count`, and its size."""
        try:
            descriptor = self._open(file)
        except OSError as error:
            return {"reason": _ERRORS.get(error.errno or 0, "unreadable"), "evidence": error.strerror or str(error)}
        if descriptor is None:
            return {"reason": "not_regular", "evidence": "a pipe, a device or a socket"}
        with open(descriptor, "rb") as stream:
            size = os.fstat(descriptor).st_size
            try:
                return (b"" if size >= count else stream.read(count), size)
            except OSError as error:
                return {"reason": "unreadable", "evidence": error.strerror or str(error)}

    def head(self, file: str, count: int) -> bytes:
        """Read the first bytes of a file of any size; nothing where it cannot be read."""
        try:
            descriptor = self._open(file)
            if descriptor is None:
                return b""
            with open(descriptor, "rb") as stream:
                return stream.read(count)
        except OSError:
            return b""

    def entries(self, folder: str) -> list[os.DirEntry[str]]:
        """List a folder in the order of names; the entries tell their kind without following links."""
        with os.scandir(self._open_folder(folder)) as found:
            return sorted(found, key=lambda entry: entry.name)

    def _open(self, file: str) -> int | None:
        """Open a file; None for what is no regular one, even if it became so after it was looked at."""
        folder, _, name = file.rpartition("/")
        below = self._open_folder(folder)
        mode = os.stat(name, dir_fd=below, follow_symlinks=False).st_mode  # first: opening a device can do things
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            return None
        descriptor = os.open(name, _FILE, dir_fd=below)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def _open_folder(self, folder: str) -> int:
        if folder != self._folder:
            if ".." in folder.split("/"):
                raise OSError(errno.EXDEV, "the path leads out of the repository")
            descriptor = os.dup(self._root)
            try:
                for name in folder.split("/") if folder else ():
                    below = os.open(name, _FOLDER, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = below
            except OSError:
                os.close(descriptor)
                raise
            os.close(self._descriptor)
            self._folder, self._descriptor = folder, descriptor
        return self._descriptor


def contents(repository: Repository, max_bytes: int) -> Iterator[tuple[str, bytes | dict[str, Any]]]:
    """Read the files of a repository that is a folder, each whole or refused."""
    try:
        below = Beneath(repository.root)
    except OSError as error:
        yield from ((file, {"reason": "unreadable", "evidence": error.strerror or ""}) for file in repository.files)
        return
    with below:
        for file in repository.files:
            yield file, below.read(file, max_bytes)


def survey(root: Path) -> Iterator[tuple[str, str | None]]:
    """List what lies below a root in order, with the reason why it is not read; None for a regular file with a name.

    Tool folders are left out without a word.
    """
    pending = [""]
    with Beneath(root) as below:
        while pending:
            folder = pending.pop()
            try:
                entries = below.entries(folder.rstrip("/"))
            except OSError as error:
                yield folder, _ERRORS.get(error.errno or 0, "unreadable")
                continue
            folders = []
            for entry in entries:
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if not is_name(path):
                        yield path, "file_name"
                    elif entry.name not in SKIPPED_FOLDERS:
                        folders.append(f"{path}/")
                else:
                    yield path, _kind(entry, path)
            pending += reversed(folders)


def walk(root: Path) -> Iterator[str]:
    """List the regular files below a root in order; links are not followed, tool folders and names that are no text skipped."""
    return (path for path, reason in survey(root) if reason is None)


def read_beneath(root: Path, files: Sequence[str], max_bytes: int) -> dict[str, str]:
    """Read small texts below a root; one that cannot be read whole is the text ""."""
    with Beneath(root) as below:
        data = {file: below.read(file, max_bytes) for file in files}
    return {file: as_text(one) if isinstance(one, bytes) else "" for file, one in data.items()}


def as_text(data: bytes) -> str:
    """Decode a text that only has to be recognised."""
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _kind(entry: os.DirEntry[str], path: str) -> str | None:
    if entry.is_symlink():
        return "link"
    if not entry.is_file(follow_symlinks=False):
        return "not_regular"
    return None if is_name(path) else "file_name"
