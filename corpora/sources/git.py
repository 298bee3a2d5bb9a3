"""Asking git about a repository that strangers made, without doing what it says.

A repository's own configuration names programs that git runs (fsmonitor, hooks, filters and textconv by attribute, the
transport of a missing object) and folders it works in (core.worktree, include.path). None of that is read: git is given a
folder of our own, with our configuration, the commit as its HEAD, and from the repository only the index and the objects.
What git keeps in text is read without git (gitfolder.py). So a repository of another owner
needs no `safe.directory` either. Two settings stand for what is left: no protocol may be spoken, and nothing may be locked.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from corpora.sources.beneath import Beneath
from corpora.sources.gitfolder import TEXT_BYTES, Git, GitError

_SECONDS = 120
"""For one question; the status of a checkout of 100,000 files takes 2."""
_OUTPUT_BYTES = 256 << 20
"""Of one answer: the names of two million files. Trees can be made that list more files than there are atoms."""
_MEMORY_BYTES = 4 << 30
"""That git may fill, packs not counted."""
_COMMITTER = re.compile(rb"^committer .*> (\d+) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = false
\tfsmonitor = false
\thooksPath = /dev/null
\tfileMode = false
\tquotePath = false
\tuntrackedCache = false
[protocol]
\tallow = never
"""


@contextmanager
def asking(git: Git, root: Path | None = None) -> Iterator[Question]:
    """Give a function that asks git, with files below `root` where there are any."""
    with tempfile.TemporaryDirectory() as name:
        own = Path(name)
        for folder in ("objects", "refs", "info"):
            (own / folder).mkdir()
        version = "1\n[extensions]\n\tobjectFormat = sha256\n[core]\n\tbare = false" if len(git.commit) == 64 else "0"
        (own / "config").write_text(_CONFIG.format(version=version))
        (own / "HEAD").write_text((git.commit or "ref: refs/heads/none") + "\n")
        with Beneath(git.common) as below:
            for file in ("info/exclude", "shallow"):
                if isinstance(data := below.read(file, TEXT_BYTES), bytes):
                    (own / file).write_bytes(data)
        yield Question(own, git, root)


@dataclass(frozen=True)
class Question:
    """One repository's git, with a folder of ours in place of its own."""

    own: Path
    git: Git
    root: Path | None

    def __call__(self, *arguments: str, cwd: Path | None = None, given: str = "") -> bytes:
        """Ask, with what is given on its input, and give what git prints."""
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
            source.write(given.encode())
            source.seek(0)
            process = self._start(["git", *arguments], cwd or self.root or self.own, source, errors)
            timer = threading.Timer(_SECONDS, process.kill)
            timer.start()
            with process:
                output = process.stdout.read(_OUTPUT_BYTES + 1) if process.stdout else b""
                if len(output) > _OUTPUT_BYTES:
                    process.kill()
            timer.cancel()
            errors.seek(0)
            first = errors.read(2_000).decode("utf-8", "replace").strip().partition("\n")[0]
        if len(output) > _OUTPUT_BYTES:
            raise GitError(f"git {arguments[0]} says more than {_OUTPUT_BYTES} bytes")
        if process.returncode == -signal.SIGKILL:
            raise GitError(f"git {arguments[0]} took more than {_SECONDS} seconds")
        if process.returncode:
            raise GitError(f"git {arguments[0]}: {first[:200] or 'no message'}")
        return output

    def _start(self, command: list[str], cwd: Path, stdin: Any, errors: Any) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                command, cwd=cwd, env=self._environment(), stdin=stdin, stdout=subprocess.PIPE, stderr=errors
            )
        except FileNotFoundError:
            raise GitError("git is not installed, and without it the files of a checkout are not known") from None
        if hasattr(resource, "prlimit"):
            with suppress(ProcessLookupError):  # it was faster
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
        return process

    def objects(self, names: Sequence[str], most: int = 1 << 30) -> Iterator[bytes | None]:
        """Read objects one by one, in order; None for one that is missing or longer than `most` bytes."""
        process = self._start(["git", "cat-file", "--batch"], self.own, subprocess.PIPE, subprocess.DEVNULL)
        if process.stdin is None or process.stdout is None:
            raise GitError("git cat-file has no pipes")
        with process:
            try:
                for name in names:
                    process.stdin.write(f"{name}\n".encode())
                    process.stdin.flush()
                    yield _object(process.stdout, name, most)
            except BrokenPipeError:
                raise GitError("git cat-file stopped") from None
            finally:
                process.kill()

    def _environment(self) -> dict[str, str]:
        paths = {
            "GIT_DIR": self.own,
            "GIT_INDEX_FILE": self.git.folder / "index",
            "GIT_OBJECT_DIRECTORY": self.git.common / "objects",
            **({"GIT_WORK_TREE": self.root} if self.root else {}),
        }
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "HOME": str(self.own),  # no ignore list of this user: the corpus is the same for everybody
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **{name: str(path) for name, path in paths.items()},
        }


def _object(stream: Any, name: str, most: int) -> bytes | None:
    """Read one answer of `cat-file --batch`: a line with kind and size, the content, a line end."""
    fields = stream.readline().split()
    if len(fields) != 3:
        if fields:
            return None
        raise GitError(f"git cat-file stopped at {name}")
    size = int(fields[2])
    kept = size <= most
    left, data = size + 1, b""
    while left:
        data = stream.read(left if kept else min(left, 1 << 20))
        if not data:
            raise GitError(f"git cat-file stopped at {name}")
        left -= len(data)
    return data[:-1] if kept else None


def commit_date(ask: Question, commit: str) -> str | None:
    """Give the time of a commit as its committer's clock had it, in ISO 8601; None where there is none."""
    return commit_date_of(next(iter(ask.objects([commit])), None)) if commit else None


def commit_date_of(data: bytes | None) -> str | None:
    """Read that time out of a commit."""
    match = _COMMITTER.search(data.partition(b"\n\n")[0]) if data else None
    if not match or len(match[1]) > 11:
        return None
    minutes = int(match[3]) * 60 + int(match[4])
    zone = timezone(timedelta(minutes=-minutes if match[2] == b"-" else minutes) if minutes < 24 * 60 else timedelta())
    return datetime.fromtimestamp(int(match[1]), zone).isoformat()
