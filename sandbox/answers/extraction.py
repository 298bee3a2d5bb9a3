r"""Find the answer in a reply: the one that it names, or its last number.

`final` asks that the reply name its answer: after `####`, in a `\boxed{}`, after "answer is", or by being nothing but a
number; the last of the first kind that occurs counts. `last_number` takes whatever number comes last, as published scores do.
"""

from __future__ import annotations

import re

STYLES = ("final", "last_number")
_MAX_REPLY = 100_000  # characters, from the end

_MARKED = re.compile(r"####[ \t]*([^\n]*)")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_NAMED = re.compile(r"\banswer(?:\s+is|\s*:)(?!\s+not\b)\s*:?[ \t]*([^\n]+)|答案[是为:：]+\s*([^\n。]+)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<!\b[ap])(?<!\bm)[.!?](?=\s|\*|$)|[,;]\s+(?=[A-Za-z])")
_FRACTION = r"\\[dt]?frac\s*\{\s*-?\d+\s*\}\s*\{\s*\d+\s*\}"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\w.])[-−]?(?:{_FRACTION})|(?:(?<![\w.)\]}}%])[-−])?[$€£]?(?<![\d.])(?:{_DIGITS})(?:[eE][+-]?\d+)?(?:\s?/\s?\d+(?![\d.]))?"
)
_ONLY_NUMBER = re.compile(rf"[-−]?[$€£]?(?:{_DIGITS}|{_FRACTION})(?:[eE][+-]?\d+)?(?:\s?/\s?\d+)?%?[.]?")


def extract(reply: str, *, style: str) -> str | None:
    r"""Give the answer of a reply, or None when there is none; `style` is final or last_number.

    >>> extract("2 + 3 = 5\n#### 5", style="final"), extract("It is 7 or 8.", style="last_number")
    ('5', '8')
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    reply = reply[-_MAX_REPLY:]
    return _final(reply) if style == "final" else _last_number(reply)


def _final(reply: str) -> str | None:
    marked = _MARKED.findall(reply)
    if marked:
        return _trim(marked[-1])
    boxes = [_balanced(reply, match.end()) for match in _BOX.finditer(reply)]
    if boxes:
        return _trim(boxes[-1] or "")
    named = [first or second for first, second in _NAMED.findall(reply)]
    if named:
        return _trim(_SENTENCE_END.split(named[-1], maxsplit=1)[0])
    return reply.strip().rstrip(".") if _ONLY_NUMBER.fullmatch(reply.strip()) else None


def _balanced(text: str, start: int) -> str | None:
    """Give what stands between an open brace and the one that closes it."""
    depth = 1
    for position in range(start, len(text)):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                return text[start:position]
    return None


def _trim(text: str) -> str | None:
    return text.strip().strip("*").rstrip(".").strip() or None


def _last_number(reply: str) -> str | None:
    found = [match.group() for match in _NUMBER.finditer(reply)]
    return found[-1].replace("−", "-").replace("$", "") if found else None
