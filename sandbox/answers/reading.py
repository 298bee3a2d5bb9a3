r"""Read an answer: a number with its unit, a group of answers, words, or text that nothing is known about.

Spelling goes (LaTeX commands for layout, Unicode forms, currency signs, thousands separators, a final period); meaning stays
(percent, units, brackets, order). `\text{...}` keeps what is in it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from sandbox.answers.expression import Unreadable, evaluate


@dataclass(frozen=True)
class Number:
    """A rational number; `unit` is "" where none is written, `is_known_unit` says that the table has it."""

    value: Fraction
    unit: str = ""
    is_known_unit: bool = False
    is_percent: bool = False


@dataclass(frozen=True)
class Group:
    """Several answers; `brackets` is "" for a bare list. Tuples and intervals are ordered, sets and lists are not."""

    brackets: str
    items: tuple[Reading, ...]

    @property
    def is_ordered(self) -> bool:
        """Whether the places of the items mean something."""
        return self.brackets not in ("", "{}")


@dataclass(frozen=True)
class Words:
    """Letters only, in lower case."""

    text: str


@dataclass(frozen=True)
class Unread:
    """Anything else, in clean spelling."""

    text: str


Reading = Number | Group | Words | Unread

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_VULGAR = re.compile("[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")
_SPELLINGS = (
    (re.compile(r"\\(?:left|right|big|Big|bigg|Bigg|bigl|bigr|displaystyle|textstyle)(?![A-Za-z])"), ""),
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])|[×·⋅∗]|\*\*(?=\*)"), "*"),
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"\\div(?![A-Za-z])|[÷⁄∕]"), "/"),
    (re.compile(r"[−–—]"), "-"),
    (re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|°|\\degree(?![A-Za-z])"), " degrees"),
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|operatorname|mbox)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\\{"), "⦃"),  # a set's brace, told from a LaTeX group's
    (re.compile(r"\\\}"), "⦄"),
    (re.compile(r"\\!"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;: ]|~|\\q?quad(?![A-Za-z])"), " "),
    (re.compile(r"\\frac\s*(\d)(?!\})"), r"\\frac{\1}"),
    (re.compile(r"(\\frac\s*\{[^{}]*\})\s*(\d)"), r"\1{\2}"),
    (re.compile(r"\\sqrt\s*(\d+)"), r"\\sqrt{\1}"),
    (re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?![\d,])"), lambda match: match[1].replace(",", "")),
)
_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"))
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{(.*)\}", re.DOTALL)
_ASSIGNED = re.compile(r"[A-Za-z][A-Za-z ]*(?:_\{?\w+\}?)?(?:\([A-Za-z]\))?")
_CURRENCY = {"$": "dollar", "€": "euro", "£": "pound sterling", "¥": "yuan"}
_MONEY = re.compile(r"([-+]?)\s*\\?([$€£¥])\s*(?=[\d.])")

_UNITS = {
    name: unit
    for unit, names in {
        "cm": "cm centimeter centimetre 厘米",
        "mm": "mm millimeter millimetre",
        "m": "m meter metre 米",
        "km": "km kilometer kilometre 千米 公里",
        "inch": "inch inche in",
        "foot": "foot feet ft",
        "yard": "yard yd",
        "mile": "mile mi",
        "second": "second sec s 秒",
        "minute": "minute min 分钟",
        "hour": "hour hr h 小时",
        "day": "day 天",
        "week": "week",
        "month": "month",
        "year": "year 年",
        "g": "g gram 克",
        "kg": "kg kilogram kilo 千克 公斤",
        "pound": "pound lb",
        "ounce": "ounce oz",
        "l": "l liter litre 升",
        "ml": "ml milliliter millilitre 毫升",
        "dollar": "dollar usd buck 美元",
        "cent": "cent",
        "euro": "euro",
        "yuan": "yuan 元",
        "degree": "degree deg 度",
        "radian": "radian rad",
        "mph": "mph",
        "am": "am a.m a.m.",
        "pm": "pm p.m p.m.",
    }.items()
    for name in names.split()
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_NOT_A_UNIT = re.compile(
    r"\b(?:pi|sqrt|sin|cos|tan|ln|log|exp|mod|squared|cubed|factorial|or|and|not|no|than|most|least|over|under|plus|minus|"
    r"times|if|else|to|divided|choose|base|half|halves|quarters?|thirds?|fifths?|tenths?|hundredths?)\b"
)
"""Words after a number that change its value, or make a sentence of it."""
_WITH_UNIT = re.compile(r"(.*(?:[\d)}%]|\d\.))\s*([^\W\d_](?:[^\W\d_]|[ ./])*?)(?:\s*\^\s*\{?([23])\}?)?", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’.-])*")
_LIST_WORD = re.compile(r",?\s+(?:and|or)\s+|;")
_TIGHT_COMMA = re.compile(r"\d,\d")
_MAX_UNIT_WORDS = 3


def clean(text: str) -> str:
    r"""Spell an answer in one way.

    >>> clean(r"$\dfrac34$."), clean("1,234 × 2"), clean("x²")
    ('\\frac{3}{4}', '1234 * 2', 'x^{2}')
    """
    text = _SUPERSCRIPTS.sub(lambda match: f"^{{{match[0].translate(_SUPERSCRIPT)}}}", text)
    text = _VULGAR.sub(lambda match: " " + unicodedata.normalize("NFKC", match[0]), text)
    text = _unwrap(unicodedata.normalize("NFKC", text).strip())
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return _unwrap(" ".join(text.split()))


def _unwrap(text: str) -> str:
    """Take off math delimiters, a box and final periods, as often as they come."""
    before = ""
    while text != before:
        before = text
        if not text.lower().endswith((".m.", "...")):
            text = text.rstrip(".。 ")
        for opening, closing in _WRAPPERS:
            inner = text[len(opening) : -len(closing)]
            if text.startswith(opening) and text.endswith(closing) and inner and opening not in inner:
                text = inner.strip()
        boxed = _BOXED.fullmatch(text)
        if boxed:
            text = boxed[1].strip()
    return text


def read(text: str) -> Reading:
    """Say what an answer is; `text` is clean."""
    left, equals, right = text.rpartition("=")
    if equals and _ASSIGNED.fullmatch(left.strip()):
        text = right.strip()
    elif equals:
        return _equation(text)
    return _number(text) or _group(text) or _words(text) or Unread(squeeze(text))


def squeeze(text: str) -> str:
    """Take out the spaces that do not part two words or numbers, and the braces of a plain exponent."""
    return re.sub(r"\^\{(\w+)\}(?!\w)", r"^\1", re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text))


def _equation(text: str) -> Reading:
    """A calculation that holds is its value: `3 + 4 = 7`."""
    sides = [_number(side.strip()) for side in text.split("=")]
    if all(side is not None and side.value == getattr(sides[-1], "value", None) for side in sides):
        return sides[-1] or Unread(squeeze(text))
    return Unread(squeeze(text))


def _number(text: str) -> Number | None:
    money = _MONEY.match(text)
    if money:
        rest = _number(money[1] + text[money.end() :])
        plain = rest is not None and not rest.is_percent and rest.unit in ("", _CURRENCY[money[2]])
        return Number(rest.value, _CURRENCY[money[2]], is_known_unit=True) if rest and plain else None
    try:
        return Number(evaluate(text), is_percent=text.rstrip(")} ").endswith("%"))
    except Unreadable:
        return _with_unit(text)


def _with_unit(text: str) -> Number | None:
    match = _WITH_UNIT.fullmatch(text)
    if not match:
        return None
    if len(match[2]) == 1 and match[2].isascii() and match.start(2) == match.end(1):
        return None  # 3s^2 has a variable, 3 s has a unit
    words = match[2].lower().split()
    scale = 1
    while words and words[0] in _SCALES:
        scale *= _SCALES[words.pop(0)]
    if len(words) > _MAX_UNIT_WORDS or _NOT_A_UNIT.search(" ".join(words)):
        return None
    try:
        value = evaluate(match[1]) * scale
    except Unreadable:
        return None
    if match[1].endswith("%") and words:
        return Number(value, is_percent=True)
    if words in (["percent"], ["per", "cent"], ["percents"]):
        return Number(value / 100, is_percent=True)
    return _measured(value, words, match[3])


def _measured(value: Fraction, words: list[str], power: str | None) -> Number | None:
    """A value with its unit in one spelling: singular, `cm^2` for `square centimeters`."""
    if words and words[0] in ("square", "sq", "sq.", "cubic"):
        power = "3" if words[0] == "cubic" else "2"
        words = words[1:]
    unit = " ".join(words)
    known = _UNITS.get(unit) or _UNITS.get(unit.rstrip(".").removesuffix("s"))
    if known is None and len(unit) == 1 and unit.isascii():
        return None  # a variable
    unit = known or unit.removesuffix("s").removesuffix("e")
    if power and not known:
        return None
    return Number(value, f"{unit}^{power}" if power else unit, is_known_unit=known is not None)


def _group(text: str) -> Group | None:
    brackets, inner = "", text
    if text[:1] in ("(", "[", "⦃") and text[-1:] in (")", "]", "⦄"):
        brackets, inner = text[0] + text[-1], text[1:-1]
    if not brackets and _TIGHT_COMMA.search(text):
        return None  # 72,00 is one number to some writers
    parts = _split(_LIST_WORD.sub(",", inner) if brackets in ("", "⦃⦄") else inner)
    is_set = brackets == "⦃⦄"
    if parts is None or (len(parts) < 2 and not is_set) or not all(parts):
        return None
    if (brackets and not is_set) and len(parts) == 1:
        return None
    items = tuple(read(part) for part in parts)
    if not brackets and not all(isinstance(item, (Number, Group)) for item in items):
        return None  # a sentence with a comma
    return Group("{}" if is_set else brackets, items)


def _split(text: str) -> list[str] | None:
    """Split at commas outside brackets; None when brackets do not match."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character in "([{⦃":
            depth += 1
        elif character in ")]}⦄":
            depth -= 1
            if depth < 0:
                return None
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()] if depth == 0 else None


def _words(text: str) -> Words | None:
    choice = re.fullmatch(r"\(?([A-J])\)?", text)
    if choice:
        return Words(choice[1].lower())
    return Words(" ".join(text.lower().rstrip(".").split())) if _LETTERS.fullmatch(text) else None
