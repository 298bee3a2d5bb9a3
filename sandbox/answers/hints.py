"""What a question asks of its answer: a percent, a rounding, a base. Read by words, in English and Chinese; nothing is inferred."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from sandbox.answers.tree import last_match

_MAX_QUESTION = 20_000  # characters, from the end
_PERCENT = re.compile(
    r"\b(?:what|which|as a|find the|calculate the|by what|in)\s+(?:\w+\s+){0,3}?(?:percent|percentage)\b"
    r"|\bpercent(?:age)? of\b.*\?|"
    r"\bas (?:a )?percent(?:age)?\b|百分之几|百分之多少|百分率|百分比|%\s*[?？]|几分之几",
    re.IGNORECASE,
)
_ROUNDING = re.compile(
    r"\b(?:round(?:ed|ing)?|correct|accurate|approximat\w*|express\w*|nearest)\b[^.?!]{0,60}?\b(?:nearest|to)\s+(?:the\s+)?(?:nearest\s+)?"
    r"(?:(\d+|one|two|three|four|five)\s+(?:decimal|significant)?\s*(?:place|decimal)|(hundredths?|tenths?|thousandths?|whole|integer|hundred|ten|"
    r"thousand|cent|dollar|percent|degree|unit|minute|mile|inch|foot|meter)\b)|(?:nearest)\s+(hundredth|tenth|thousandth|whole|integer|cent)|"
    r"(?:保留|精确到)\s*(?:小数点后)?\s*([一二两三四\d])\s*位(?:小数)?|(?:保留|精确到)\s*(整数|个位|十分位|百分位|千分位)|"
    r"\bto\s+(\d+|one|two|three|four)\s+decimal\s+places?",
    re.IGNORECASE,
)
_PLACES = {
    "tenth": 1, "hundredth": 2, "thousandth": 3, "whole": 0, "integer": 0, "ten": -1, "hundred": -2, "thousand": -3, "cent": 2,
    "整数": 0, "个位": 0, "十分位": 1, "百分位": 2, "千分位": 3, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
}  # fmt: skip
_BASE = re.compile(
    r"\bbase[\s-]+\$?(?:_?\{?)?(\d{1,2}|two|three|four|five|six|seven|eight|nine|twelve|sixteen)\b|\b(binary|octal|hexadecimal)\b"
)
_BASES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "twelve": 12, "sixteen": 16, "binary": 2, "octal": 8,
    "hexadecimal": 16,
}  # fmt: skip
_OPTION = re.compile(r"(?:^|\s)\(?([A-J])[).:]\s*([^()\n]{1,200}?)(?=\s*\(?[A-J][).:]\s|\s*$)", re.MULTILINE)


class Hints(NamedTuple):
    """What is asked: a number of percents, a step to round to, digits in a base, one of several options."""

    asks_percent: bool = False
    step: Fraction | None = None
    base: int | None = None
    options: tuple[tuple[str, str], ...] = ()


def hints(question: str | None) -> Hints:
    """Read a question.

    >>> hints("What percent of 8 is 2?").asks_percent, hints("Round to the nearest tenth.").step, hints("Write 5 in base 2.").base
    (True, Fraction(1, 10), 2)
    """
    if not question:
        return Hints()
    question = question[-_MAX_QUESTION:]
    base = last_match(_BASE, question)
    return Hints(
        asks_percent=bool(_PERCENT.search(question)),
        step=_step(question),
        base=None if base is None else _base(base[1] or base[2]),
        options=tuple(_OPTION.findall(question)),
    )


def _base(text: str) -> int:
    return int(text) if text.isdecimal() else _BASES[text.lower()]


def _step(question: str) -> Fraction | None:
    match = last_match(_ROUNDING, question)
    if match is None:
        return None
    word = next(group for group in match.groups() if group).lower()
    places = int(word) if word.isdecimal() else _PLACES.get(word, _PLACES.get(word.rstrip("s"), 0))
    return Fraction(10) ** -places if places <= 12 else None
