"""Answers in words: number words, set phrases, what two texts have in common once case, articles and marks are gone."""

from __future__ import annotations

import re

from sandbox.answers.tree import Node

ONES = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3,
    "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "fifth": 5, "fifths": 5,
    "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10}  # fmt: skip
_LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_NUMBER = re.compile(
    r"(?:(minus|negative)\s+)?((?:" + "|".join([*ONES, *_TENS, *_LARGE, "hundred", "and"]) + r")(?:[\s-]+(?:"
    + "|".join([*ONES, *_TENS, *_LARGE, "hundred", "and"]) + r")){0,12})(?:[\s-]+(" + "|".join(_PARTS) + r"))?(?![\w-])",
    re.IGNORECASE,
)  # fmt: skip
_ONLY_PART = re.compile(rf"(?:an? ({'|'.join(_PARTS)})|(half))", re.IGNORECASE)
_MIXED = re.compile(rf"([a-z -]+?|\d+) and (an?|one|two|three|four|five) ({'|'.join(_PARTS)})", re.IGNORECASE)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DATE = re.compile(
    rf"({'|'.join(_MONTHS)}) (\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({'|'.join(_MONTHS)})"
)
_EMPTY = frozenset(
    [
        "no solution",
        "no solutions",
        "none",
        "there is no solution",
        "there are no solutions",
        "has no solution",
        "empty set",
        "the empty set",
        "无解",
        "没有解",
        "空集",
    ]
)
_REALS = frozenset(
    [
        "all real numbers",
        "all reals",
        "real numbers",
        "any real number",
        "all real x",
        "all real values",
        "the set of all real numbers",
        "the real numbers",
        "全体实数",
        "all real numbers x",
        "the set of real numbers",
        "reals",
        "任意实数",
        "实数集",
    ]
)
_SAME = {
    "dne": "does not exist", "doesn't exist": "does not exist",
    "undef": "undefined", "not defined": "undefined", "y": "yes", "是": "yes",
    "是的": "yes", "不是": "no", "否": "no", "正确": "true", "错误": "false",
    "对": "true", "错": "false", "不存在": "does not exist", "相等": "equal",
    "t": "true", "f": "false", "不能": "no", "能": "yes", "够": "enough", "不够": "not enough",
}  # fmt: skip
_INFINITE = frozenset({"negative infinity", "minus infinity", "positive infinity"})
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_MARKS = re.compile(r"[\s.,;:!?'\"()\-_*]+")
_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[\s'.,()&\-:!?]|(?<=\s)\d{1,2}\b)*")


def numbered(text: str) -> str:
    """Write the number words at the start of an answer with digits; other texts come back as they are.

    >>> numbered("twenty-one"), numbered("three apples"), numbered("two thirds"), numbered("no one")
    ('21', '3 apples', '2/3', 'no one')
    """
    part = _ONLY_PART.fullmatch(text)
    if part:
        return f"1/{_PARTS[(part[1] or part[2]).lower()]}"
    mixed = _MIXED.fullmatch(text)
    if mixed:
        whole = numbered(mixed[1])
        return f"{whole} {ONES.get(mixed[2].lower(), 1)}/{_PARTS[mixed[3].lower()]}" if whole.isdecimal() else text
    match = _NUMBER.match(text)
    if not match:
        return text
    value = _count(re.split(r"[\s-]+", match[2].lower()))
    if value is None or match[2].lower() == "and":
        return text
    below = f"/{_PARTS[match[3].lower()]}" if match[3] else ""
    return f"{'-' if match[1] else ''}{value}{below}{text[match.end() :]}"


def _count(words: list[str]) -> int | None:
    total = section = 0
    previous = 1_000
    for word in words:
        if word in _LARGE:
            total, section, previous = total + max(section, 1) * _LARGE[word], 0, 1_000
        elif word == "hundred":
            section, previous = max(section, 1) * 100, 100
        elif word != "and":
            value = ONES.get(word, _TENS.get(word, 0))
            if value >= previous or (previous < 100 and previous % 10):
                return None  # "one two": two numbers
            section, previous = section + value, value if value < 20 else 10
    return total + section


def phrase(text: str) -> Node | None:
    """Give what a whole answer in words means, when it is one of the set phrases."""
    lowered = " ".join(text.lower().split())
    if lowered in _EMPTY:
        return Node("empty")
    if lowered in _REALS:
        return Node("reals")
    if lowered in _INFINITE:
        infinity = Node("constant", (), "infinity")
        return Node("minus", (infinity,)) if lowered[0] in "nm" else infinity
    if len(lowered) > 1 and lowered in _SAME:
        return Node("text", (), _SAME[lowered])
    date = _DATE.fullmatch(lowered)
    return Node("text", (), f"{date[1] or date[4]} {date[2] or date[3]}") if date else None


def text_of(text: str) -> Node | None:
    """Make a text answer, in one spelling; None for what holds more than words."""
    if not _WORDS.fullmatch(text):
        return None
    lowered = _ARTICLE.sub("", " ".join(text.lower().split())).replace("星期", "周").replace("礼拜", "周")
    return Node("text", (), _SAME.get(lowered, " ".join(_MARKS.sub(" ", lowered).split())))
