"""Chinese numbers in answers: numerals, fractions, percents and scale words, rewritten with digits.

A numeral counts only where the whole answer is made of numerals, digits and a unit: the 三 of a triangle stays a word.
"""

from __future__ import annotations

import re
from fractions import Fraction

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NUMERAL = "(?:[零〇一二两三四五六七八九十百万亿点]|千(?![克米瓦卡])){1,40}"
_COUNT = rf"(?:{_NUMERAL}|\d{{1,40}}(?:\.\d{{1,40}})?)"
_FRACTION = re.compile(rf"(?:({_COUNT})又)?(百|千|万|{_COUNT})分之({_COUNT})")
_SCALED = re.compile(r"(\d{1,40}(?:\.\d{1,40})?)\s*((?:[万亿百]|千(?![克米瓦卡])){1,4})")
_WHOLE = re.compile(rf"([-负]?)({_NUMERAL})(?=$|\s*(?:千[克米瓦卡]|[^零〇一二两三四五六七八九十百千万亿点又分]))")
_PHRASES = re.compile(
    r"^(?:(?:所以|因此|故|即|则|综上)[,，:：]?)?(?:(?:最终|最后)?(?:的)?(?:正确)?(?:答案|结果|得数)[是为:：=\s]*|答[:：]\s*|选项?[:：为]?\s*"
    r"|一?共有?|大约|约为?|等于)\s*"
)
_TENTHS = re.compile(r"^(\d{1,4}(?:\.\d{1,4})?)[折成]$")
_EACH = re.compile(r"^每(小时|分钟?|秒|天|年|月|千克|公斤|米|个|人)([\d.]+[\u4e00-\u9fff]+)$")
_COUNTED = re.compile(r"\(([\u4e00-\u9fff]{1,4})\)$")
_MIXED = re.compile(r"(\d{1,40})又(\d{1,40}/\d{1,40})")
_HALF = {"一半": "1/2", "半": "1/2"}


def digits(text: str) -> str:
    """Write the Chinese numbers of an answer with digits.

    >>> digits("十五分之七"), digits("百分之二十五"), digits("一百零五元"), digits("1.5亿"), digits("三角形")
    ('(7/15)', '25%', '105元', '150000000', '三角形')
    """
    text = _PHRASES.sub("", text)
    if text in _HALF:
        return _HALF[text]
    text = _COUNTED.sub(r"\1", _EACH.sub(r"\2/\1", text))
    text = _MIXED.sub(r"(\1+\2)", _FRACTION.sub(_fraction, text))
    text = _TENTHS.sub(r"(\1/10)", _SCALED.sub(_scaled, text))
    match = _WHOLE.match(text)
    if match and not text[match.end() :].startswith(("角形", "边形", "角", "维", "次方", "月", "等")):
        value = _value(match[2])
        if value is not None:
            text = ("-" if match[1] else "") + value + text[match.end() :]
    return "-" + text[1:] if re.match(r"负[\d(]", text) else text


def _fraction(match: re.Match[str]) -> str:
    above, below = _value(match[3]), match[2]
    if above is None:
        return match[0]
    if below == "百" and not match[1]:
        return f"{above}%"
    bottom = {"百": "100", "千": "1000", "万": "10000"}.get(below) or _value(below)
    whole = _value(match[1]) if match[1] else None
    if bottom is None:
        return match[0]
    return f"({whole}+{above}/{bottom})" if whole else f"({above}/{bottom})"


def _scaled(match: re.Match[str]) -> str:
    value = Fraction(match[1])
    for character in match[2]:
        value *= _MYRIADS.get(character) or _PLACES[character]
    return str(value) if value.denominator == 1 else match[0]


def _value(text: str) -> str | None:
    """Give a numeral in digits; None for what is not one."""
    if text.replace(".", "", 1).isdecimal():
        return text
    whole, point, decimals = text.partition("点")
    if point:
        tail = "".join(str(_DIGITS.get(character, "x")) for character in decimals)
        head = _integer(whole)
        return f"{head}.{tail}" if tail.isdecimal() and head is not None else None
    value = _integer(text)
    return None if value is None else str(value)


def _integer(text: str) -> int | None:
    if len(text) > 1 and all(character in _DIGITS for character in text):
        return int("".join(str(_DIGITS[character]) for character in text))  # 二〇二四, read digit by digit
    total = section = 0
    digit: int | None = None
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _PLACES:
            section += (1 if digit is None else digit) * _PLACES[character]
            digit = None
        elif character in _MYRIADS and (section or digit):
            total = (total + section + (digit or 0)) * _MYRIADS[character]
            section, digit = 0, None
        else:
            return None
    if len(text) > 2 and text[-2] in "百千万" and digit:  # 一百二 is 120
        digit *= (_PLACES.get(text[-2]) or _MYRIADS[text[-2]]) // 10
    return total + section + (digit or 0) if text else None
