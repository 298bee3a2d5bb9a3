"""Commits as documents: a file before the change, the message, the file after it, as in CommitPack and StarCoder.

Of the newest commits of a repository: those that change few enough files that were there before, with a message that says
something, by a person. Rules after StarCoder (arXiv 2305.06161, table 4) and CommitPack (arXiv 2308.07124); what they leave
out is counted by reason: `commit_bot`, `commit_message`, `commit_files`, `commit_bytes`. Merges are never listed. Trailers
of the message (who signed, who reviewed) are people's names and are taken off. Four processes of git a repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.sources.bare import refuse_links
from corpora.sources.git import asking, commit_date_of
from corpora.sources.gitfolder import GitError, open_git

MAXIMUM_DOCUMENT_CHARACTERS = 100_000
"""StarCoder, table 4: files with more characters are left out; here of before and after together."""
_MESSAGE_CHARACTERS = (10, 4_000)
"""Shorter ones say nothing ("fix", "wip"); longer ones are logs. Ours."""
_MESSAGE_WORDS = 3
"""CommitPackFT asks for more, of the subject alone."""
_BOT = re.compile(
    rb"\[bot\]|\bbot@|dependabot|renovate|greenkeeper|snyk-|github-actions|semantic-release|pre-commit-ci", re.I
)
_AUTOMATIC = re.compile(
    r"(?:merge\b|revert \"merge|bump\b|release\b|auto(?:matic(?:ally)?)?[- ]?(?:generated|commit|update|merge)|"
    r"update (?:readme|changelog|submodule)|initial commit|prepare (?:for )?(?:next )?(?:release|version)|"
    r"\[maven-release-plugin\]|(?:v|version )?\d+\.\d+[\w.]*$)",
    re.IGNORECASE,
)
"""Beginnings of messages that tools write, or people without thought."""
_TRAILER = re.compile(
    r"(?:[A-Z][\w-]{2,40}-by|Co-authored-by|Cc|Change-Id|git-svn-id|Reviewed-on|Fixes-Id): .*", re.IGNORECASE
)
_RAW = re.compile(r":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*")
_FILE = "100"
"""Beginning of the modes of regular files."""


@dataclass(frozen=True)
class Change:
    """One file of one commit."""

    commit: str
    date: str | None
    message: str
    path: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """The document."""
        return commit_text(self.before, self.message, self.after)


Left = tuple[str, dict[str, Any]]
"""(commit, columns of its rejection)."""


def commit_text(before: str, message: str, after: str) -> str:
    r"""Write a change as StarCoder does; the marks are text, and the tokenizer reads them as such.

    >>> commit_text("a = 1\n", "Double a", "a = 2\n")
    '<commit_before>a = 1\n<commit_msg>Double a<commit_after>a = 2\n'
    """
    return f"<commit_before>{before}<commit_msg>{message}<commit_after>{after}"


def changes(
    folder: Path,
    head: str,
    *,
    wanted: Callable[[str], bool],
    decode: Callable[[bytes], str | dict[str, Any]],
    max_commits: int,
    max_files: int,
    max_bytes: int,
) -> Iterator[Change | Left]:
    """Read the changes of the newest commits, up to a budget of bytes, and say of the other commits why they are left out."""
    try:
        git = open_git(folder)
        refuse_links(git)
        with asking(git) as ask:
            commits = ask("rev-list", "--no-merges", "-n", str(max_commits), head).decode().split()
            bodies = dict(zip(commits, ask.objects(commits), strict=True))
            raw = _raw(ask("diff-tree", "--stdin", "-r", "-z", "--no-renames", given="\n".join(commits)))
            chosen = []
            for commit in commits:
                message, refusal = _message(bodies[commit] or b"")
                if refusal := refusal or _too_many(raw.get(commit, {}), max_files):
                    yield commit, refusal
                else:
                    found = raw[commit]
                    chosen += [
                        (commit, message, path, pair) for path, pair in sorted(found.items()) if pair and wanted(path)
                    ]
            blobs = ask.objects([name for *_, pair in chosen for name in pair], most=4 * MAXIMUM_DOCUMENT_CHARACTERS)
            left = max_bytes
            for (commit, message, path, _), *pair in zip(chosen, blobs, blobs, strict=False):
                before, after = (decode(data) if data else "" for data in pair)
                if not (isinstance(before, str) and isinstance(after, str) and before and after):
                    yield commit, {"reason": "commit_bytes", "evidence": path}
                    continue
                change = Change(commit, commit_date_of(bodies[commit]), message, path, before, after)
                if len(change.text) > MAXIMUM_DOCUMENT_CHARACTERS:
                    value, bound = float(len(change.text)), float(MAXIMUM_DOCUMENT_CHARACTERS)
                    yield commit, {"reason": "commit_bytes", "value": value, "bound": bound, "evidence": path}
                elif (left := left - len(change.text.encode())) < 0:
                    return
                else:
                    yield change
    except (GitError, OSError) as error:
        yield head, {"reason": "git", "evidence": str(error)}


def _message(body: bytes) -> tuple[str, dict[str, Any] | None]:
    """Give the message of a commit without trailers, and why the commit is left out."""
    header, _, data = body.partition(b"\n\n")
    if any(line.startswith((b"author ", b"committer ")) and _BOT.search(line) for line in header.split(b"\n")):
        return "", {"reason": "commit_bot"}
    lines = [
        line.rstrip() for line in data.decode("utf-8", "replace").splitlines() if not _TRAILER.fullmatch(line.strip())
    ]
    message = "\n".join(lines).strip()
    least, most = _MESSAGE_CHARACTERS
    if not least <= len(message) <= most or len(message.split()) < _MESSAGE_WORDS or _AUTOMATIC.match(message):
        bound = float(most if len(message) > most else least)
        return "", {"reason": "commit_message", "value": float(len(message)), "bound": bound, "evidence": message[:80]}
    return message, None


def _raw(output: bytes) -> dict[str, dict[str, tuple[str, str] | None]]:
    """Read what `diff-tree --stdin -z` says of each commit: the objects before and after of a path.

    None stands for what is no change of a regular file.
    """
    fields = iter(output.decode("utf-8", "surrogateescape").replace("\n", "\0").split("\0"))
    found: dict[str, dict[str, tuple[str, str] | None]] = {}
    changed: dict[str, tuple[str, str] | None] = {}
    for field in fields:
        if match := _RAW.fullmatch(field):
            is_change = match[5] == "M" and match[1].startswith(_FILE) and match[2].startswith(_FILE)
            changed[next(fields, "")] = (match[3], match[4]) if is_change and match[3] != match[4] else None
        elif field:
            changed = found.setdefault(field, {})
    return found


def _too_many(raw: dict[str, Any], most: int) -> dict[str, Any] | None:
    if 0 < len(raw) <= most:
        return None
    return {"reason": "commit_files", "value": float(len(raw)), "bound": float(most)}
