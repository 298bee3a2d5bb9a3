"""Who asked not to be in the corpus: a text file, one `owner` or `owner/repository` a line, `#` starts a comment.

A repository is opted out when it, or any folder of its name, is on the list: `owner` takes all that is the owner's. Names
are compared without case; the address of a repository is read as its name, so that a line can be pasted from a browser.
The list's identity is what it says, not how it is written: a new comment makes no new corpus.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

REASON = "opted_out"
"""Of the rejection; its evidence is the line of the list."""
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://)(?:[^/@]*@)?[^/]+/|[\w.-]+@[\w.-]+:")
"""What stands before the name in an address: a scheme and a host, or what ssh wants."""
_NAME = re.compile(r"[\w.~+-]+(?:/[\w.~+-]+)*")


def repository_name(text: str) -> str:
    """Give the name in an address or a line, in small letters; "" for what is none.

    >>> [repository_name(t) for t in ("https://github.com/Ann/Tool.git", "git@gitlab.com:ann/x/tool", "Ann/", "a b")]
    ['ann/tool', 'ann/x/tool', 'ann', '']
    """
    name = text.strip().lower()
    address = _ADDRESS.match(name)
    name = name[address.end() :] if address else name
    name = name.strip("/").removesuffix(".git")
    return name if _NAME.fullmatch(name) else ""


def read_opt_outs(path: Path | None) -> frozenset[str]:
    """Read a list; no list is an empty one, a list that is not there or has a line that is no name is refused."""
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the opt-out list {path} cannot be read ({error}); correct the path in luigi.cfg") from None
    names = set()
    for number, line in enumerate(lines, start=1):
        entry = line.partition("#")[0].strip()
        if entry and not repository_name(entry):
            raise ValueError(f"{path}:{number} must be an owner or owner/repository, got {entry!r}")
        names |= {repository_name(entry)} if entry else set()
    return frozenset(names)


def opted_out(opt_outs: Collection[str], *names: str) -> str | None:
    """Give the line of the list that takes a repository out, known by its name and perhaps its address.

    >>> opted_out({"ann", "bob/tool"}, "mine/x", "https://github.com/ann/x"), opted_out({"ann", "bob/tool"}, "bob/other")
    ('ann', None)
    """
    for name in names:
        parts = repository_name(name).split("/")
        for length in range(1, len(parts) + 1):
            if (line := "/".join(parts[:length])) in opt_outs:
                return line
    return None
