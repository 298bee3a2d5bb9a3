"""Real files with planted drifts, and which of them are near duplicates: counted from the shingles, not estimated.

No code of ours is used, so that it cannot agree with itself.
"""

from __future__ import annotations

import hashlib
import random
import re
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SUFFIXES = (".py", ".js", ".ts", ".java", ".c", ".h", ".cpp", ".cc", ".go", ".rs", ".rb", ".php", ".sh", ".md", ".rst")
TRUTH_FROM = 0.6
"""Least similarity that the truth holds: what precision asks for."""
WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def read_texts(folders: Sequence[Path] | None, megabytes: float) -> Iterator[str]:
    """Read source files in the order of their digests, which is any order, up to so many megabytes; no text twice."""
    roots = folders or [Path(sysconfig.get_paths()[name]) for name in ("stdlib", "purelib")]
    paths = {path for root in roots for path in root.rglob("*") if path.suffix in SUFFIXES}
    left, seen = megabytes * 1e6, set()
    for path in sorted(paths, key=lambda path: hashlib.sha256(str(path).encode()).digest()):
        try:
            text = path.read_text(encoding="utf-8") if 200 < path.stat().st_size < 1_000_000 else ""
        except (OSError, UnicodeDecodeError):
            continue
        if not text or text in seen:
            continue
        seen.add(text)
        left -= len(text.encode())
        if left < 0:
            return
        yield text


def drifts(texts: Sequence[str]) -> Iterator[str]:
    """Give a drifted version of every third text that has 150 words: words renamed, or lines deleted or inserted."""
    random_ = random.Random(7)
    word = re.compile(r"\w+")
    for text in texts[::3]:
        rate = random_.choice((0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1))
        if len(word.findall(text)) < 150:
            continue
        lines = text.split("\n")
        count = max(1, int(len(lines) * rate * 3))
        start = random_.randrange(max(1, len(lines) - count))
        kind = random_.randrange(4)
        if kind < 2:
            yield word.sub(lambda one: f"v{random_.randrange(10**6)}" if random_.random() < rate else one[0], text)  # noqa: B023
        elif kind == 2:
            yield "\n".join(lines[:start] + lines[start + count :])
        else:
            yield "\n".join(lines[:start] + random_.choice(texts).split("\n")[:count] + lines[start:])


def all_pairs(texts: Sequence[str]) -> tuple[Any, Any, Any]:
    """Find every pair with a similarity of at least `TRUTH_FROM`, exactly.

    Two sets this alike share one of their rarest `size - ceil(T size) + 1` shingles: pairs that do are counted in full.
    """
    import numpy as np

    sets = [shingles(text) for text in texts]
    _, numbers, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    order = np.argsort(np.argsort(counts, kind="stable"))
    ends = np.cumsum([len(one) for one in sets])
    ranked = [np.sort(order[part]) for part in np.split(numbers, ends[:-1])]
    postings: dict[int, list[int]] = {}
    pairs: set[tuple[int, int]] = set()
    frequency = counts[np.argsort(counts, kind="stable")]
    for text, one in enumerate(ranked):
        prefix = one[: len(one) - int(np.ceil(TRUTH_FROM * len(one))) + 1]
        for shingle in prefix[frequency[prefix] > 1].tolist():
            others = postings.setdefault(shingle, [])
            pairs.update(
                (other, text) for other in others if TRUTH_FROM <= len(ranked[other]) / len(one) <= 1 / TRUTH_FROM
            )
            others.append(text)
    found = [(a, b, jaccard(ranked[a], ranked[b])) for a, b in sorted(pairs)]
    kept = [row for row in found if row[2] >= TRUTH_FROM]
    first, second, similar = (np.array(column) for column in zip(*kept, strict=True))
    return first, second, similar


def jaccard(first: Any, second: Any) -> float:
    """Count what two sets have in common."""
    import numpy as np

    both = len(np.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)


def shingles(text: str) -> Any:
    """Give the set of runs of five words, as 64-bit digests of the words' own digests."""
    import numpy as np

    words = np.array([hash(word) for word in WORD.findall(text.encode())], np.int64).view(np.uint64)
    width = max(1, min(5, len(words)))
    value = np.zeros(max(0, len(words) - width + 1), np.uint64)
    with np.errstate(over="ignore"):
        for k in range(width):
            value = value * np.uint64(0x9E3779B97F4A7C15) + words[k : len(words) - width + 1 + k]
    return np.unique(value)
