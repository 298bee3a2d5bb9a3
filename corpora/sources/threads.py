"""Threads of issues and pull requests as documents: title, then what each person said, in order, as in StarCoder.

A row has the events of a thread as a list of objects. Read of each: `author` (or `user`, as a name or with a `login`),
`text` (or `body`), `title` (once) and `action` (`closed` ends a thread). What bots say is dropped, and a thread of bots
alone is empty. People are numbered in the order in which they speak; the same number stands for `@name` in any text.
Names of people who only are mentioned stay, as nothing tells them from `@decorators` (StarCoder, arXiv 2305.06161, 3.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MAXIMUM_EVENTS = 10_000
"""Of one thread; the rest is left out."""
_BOT = re.compile(
    r"\[bot\]$|(?:^|[-_.])(?:ro)?bot$|^bot[-_.]|^(?:codecov|coveralls|dependabot|greenkeeper|renovate|stale|github-actions)\b",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9][A-Za-z0-9-]{0,38})")
"""GitHub's names: letters, digits and hyphens, at most 39."""
_CLOSING = frozenset({"close", "closed", "merged"})


def thread_text(events: Sequence[Any]) -> str:
    r"""Join the events of a thread; "" where no person says anything.

    >>> thread_text([{"author": "jo", "title": "No", "text": "@Al: it fails"}, {"author": "Al", "text": "Fixed."},
    ...              {"author": "x[bot]", "text": "!"}, {"author": "jo", "action": "closed"}])
    '<issue_start>Title: No\nusername_0: @username_1: it fails<issue_comment>username_1: Fixed.<issue_closed>'
    """
    known = [event for event in events[:MAXIMUM_EVENTS] if isinstance(event, Mapping) and not _is_bot(event)]
    said = [(_author(event), text) for event in known if (text := _string(event, "text", "body").strip())]
    title = " ".join(next((text for event in known if (text := _string(event, "title"))), "").split())
    if not said:
        return ""
    numbers: dict[str, int] = {}
    for author, _ in said:
        numbers.setdefault(author.lower(), len(numbers))
    turns = [f"username_{numbers[author.lower()]}: {_numbered(text, numbers)}" for author, text in said]
    head = f"Title: {_numbered(title, numbers)}\n" if title else ""
    closed = bool(known) and _string(known[-1], "action").lower() in _CLOSING
    return f"<issue_start>{head}" + "<issue_comment>".join(turns) + ("<issue_closed>" if closed else "")


def _numbered(text: str, numbers: Mapping[str, int]) -> str:
    def numbered(match: re.Match[str]) -> str:
        number = numbers.get(match[1].lower())
        return match[0] if number is None else f"@username_{number}"

    return _MENTION.sub(numbered, text)


def _author(event: Mapping[str, Any]) -> str:
    found = event.get("author") or event.get("user")
    return _string(found, "login") if isinstance(found, Mapping) else found if isinstance(found, str) else ""


def _is_bot(event: Mapping[str, Any]) -> bool:
    return _BOT.search(_author(event)) is not None


def _string(event: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := event.get(name), str)), "")
