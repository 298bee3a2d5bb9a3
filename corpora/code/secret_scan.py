"""One pass over a text for secrets: which rules apply, where they match, and which matches stand.

All rules' anchors are one RE2 alternation, which a clean file goes through once; a set of the same anchors says which
rules a file needs. RE2 cannot backtrack; a rule is searched from the end of its last secret, so time is linear in the
text. In Python a match must lie in one string or comment, found by a lexer of four alternatives.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from corpora.code import secret_shell
from corpora.code.secret_checks import Candidate, entropy
from corpora.code.secret_patterns import PLACEHOLDERS, RULES, Rule

_MEMORY_BYTES = 64 << 20
"""For the automata of one pattern; with RE2's own 8 MB the prefilter starts anew in long files."""
_BLOCK_BYTES = 16_384
"""A private key ends within so many bytes of its first line: 16,384 bits of RSA are 12,700 bytes."""
_BLOCK_GAP_BYTES = 160
"""Two lines of one key lie no farther apart: quotes, indents and headers are between them."""
_BLOCK_LEAST_BYTES = 60
"""Base 64 of the shortest private key: Ed25519 in PKCS 8 has 64 digits."""
_BLOCK_LEAST_LINE = 40
"""Digits of its longest line; the words of a program that only names the frame are shorter."""
_BLOCK_LEAST_BITS = 4.0
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{8,}")
_ESCAPES_BYTES = 16

_STRING_OR_COMMENT = (
    rb"#[^\n]*"
    rb"|(?s:'''(?:[^\\]|\\.)*?(?:'''|\z))"
    rb'|(?s:"""(?:[^\\]|\\.)*?(?:"""|\z))'
    rb"|'(?:[^'\\\n]|\\(?s:.))*'"
    rb'|"(?:[^"\\\n]|\\(?s:.))*"'
)
"""Of Python; an f-string that holds its own quotes (3.12) is read as several."""


@dataclass(frozen=True, order=True)
class Finding:
    """A place that is redacted, in bytes, and what takes its place."""

    start: int
    end: int
    kind: str
    placeholder: bytes


@dataclass(frozen=True)
class _Matcher:
    prefilter: Any
    """Matches a text that some rule may concern."""
    anchors: Any
    """Set of the rules' anchors."""
    patterns: tuple[Any, ...]


def find(text: bytes, language: str) -> list[Finding]:
    """Find secrets in one pass, in order; where two overlap, the rule that comes first in the table wins."""
    matcher = _matcher()
    if matcher.prefilter.search(text) is None:
        return []
    found = _Disjoint()
    strings: tuple[list[int], list[int]] | None = None
    for index in sorted(matcher.anchors.Match(text) or ()):
        for finding in _standing(text, RULES[index], matcher.patterns[index]):
            if language == "Python":
                strings = _strings(text) if strings is None else strings
                if not _inside(finding, *strings):
                    continue
            found.add(finding)
    return _quoted(found.all, text) if language == "Shell" else found.all


def _quoted(found: list[Finding], text: bytes) -> list[Finding]:
    """Put the placeholders of bare words in quotes: to a shell their angle brackets are redirections."""
    outside = secret_shell.bare(text, [finding.start for finding in found])
    return [
        replace(finding, placeholder=b'"' + finding.placeholder + b'"') if bare else finding
        for finding, bare in zip(found, outside, strict=True)
    ]


@lru_cache(maxsize=1)
def _matcher() -> _Matcher:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY_BYTES
    anchors = re2.Set.SearchSet(options)
    for rule in RULES:
        anchors.Add(rule.anchor.encode())
    anchors.Compile()
    either = "|".join(f"(?:{rule.anchor})" for rule in RULES)
    patterns = tuple(re2.compile(rule.pattern.encode(), options) for rule in RULES)
    return _Matcher(re2.compile(either.encode(), options), anchors, patterns)


def _standing(text: bytes, rule: Rule, pattern: Any) -> Iterator[Finding]:
    """Give the matches of one rule that its checks let stand."""
    position = 0
    while match := pattern.search(text, position):
        start, position = match.span(pattern.groups)
        if rule.block:
            for block in _block(text, position):
                yield Finding(*block, rule.kind, rule.placeholder)
                position = block[1]
            continue
        before = text[max(0, start - _ESCAPES_BYTES) : start]
        start += (len(before) - len(before.rstrip(b"\\"))) % 2  # the letter of an escape, such as a line end's
        candidate = Candidate(text, start, position, match[1] if pattern.groups > 1 else b"")
        if all(check(candidate) for check in rule.checks) and not any(one in candidate.value for one in PLACEHOLDERS):
            yield Finding(start, position, rule.kind, rule.placeholder)


def _block(text: bytes, start: int) -> list[tuple[int, int]]:
    """Give the base 64 of a private key: one span, or one a line where each line is a string of its own."""
    stop = text.find(b"-----END", start, start + _BLOCK_BYTES)
    stop = stop if stop >= 0 else start + _BLOCK_BYTES
    runs: list[tuple[int, int]] = []
    position = start
    while run := _BASE64.search(text, position, min(stop, position + _BLOCK_GAP_BYTES)):
        position = run.end()
        joined = runs.pop()[0] if runs and runs[-1][1] == run.start() else run.start()
        runs.append((joined, position))
    digits = b"".join(text[slice(*run)] for run in runs)
    longest = max((end - start for start, end in runs), default=0)
    if longest < _BLOCK_LEAST_LINE or len(digits) < _BLOCK_LEAST_BYTES or entropy(digits) < _BLOCK_LEAST_BITS:
        return []
    whole = (runs[0][0], runs[-1][1])
    between = text[slice(*whole)]
    return runs if any(mark in between for mark in (b'"', b"'", b"`")) else [whole]


def _strings(text: bytes) -> tuple[list[int], list[int]]:
    """List the starts and ends of the strings and comments of a Python file."""
    spans = [match.span() for match in _lexer().finditer(text)]
    return [start for start, _ in spans], [end for _, end in spans]


@lru_cache(maxsize=1)
def _lexer() -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(_STRING_OR_COMMENT, options)


def _inside(finding: Finding, starts: list[int], ends: list[int]) -> bool:
    """Whether a finding lies in one of the intervals, which are in order."""
    index = bisect_right(starts, finding.start) - 1
    return index >= 0 and finding.end <= ends[index]


class _Disjoint:
    """Findings in order that do not overlap; the first to come stays."""

    def __init__(self) -> None:
        self.all: list[Finding] = []
        self._starts: list[int] = []

    def add(self, finding: Finding) -> None:
        """Add one, unless it overlaps what is there."""
        index = bisect_right(self._starts, finding.start)
        before, after = self.all[max(index - 1, 0) : index], self.all[index : index + 1]
        if not any(one.end > finding.start for one in before) and not any(one.start < finding.end for one in after):
            self._starts.insert(index, finding.start)
            self.all.insert(index, finding)
