r"""Units: what they are made of and how large they are, so that 5 cm is not 5 m and 100 cm is 1 m.

A unit is a product of powers of base names. Names outside the table (apples, marbles) are bases of their own and not `known`:
two different ones may still be the same thing. Counting words (units, 个, 只) stand for any unit.
"""

from __future__ import annotations

import re
from fractions import Fraction

from sandbox.answers.tree import Unit, Unreadable, word_set

_TABLE: tuple[tuple[str, str, str], ...] = (
    # base, size in it, names
    ("metre", "1/100", "cm centimeter centimetre 厘米 公分 cms"),
    ("metre", "1/1000", "mm millimeter millimetre 毫米"),
    ("metre", "1/10", "dm decimeter decimetre 分米"),
    ("metre", "1", "m meter metre 米"),
    ("metre", "1000", "km kilometer kilometre 千米 公里 kms"),
    ("metre", "254/10000", "inch inche in"),
    ("metre", "3048/10000", "foot feet ft 英尺"),
    ("metre", "9144/10000", "yard yd"),
    ("metre", "1609344/1000", "mile mi 英里"),
    ("second", "1/1000", "millisecond ms 毫秒"),
    ("second", "1", "second sec s 秒 秒钟"),
    ("second", "60", "minute min 分钟 分"),
    ("second", "3600", "hour hr h 小时 时"),
    ("second", "86400", "day 天 日"),
    ("second", "604800", "week wk 周 星期"),
    ("month", "1", "month 月 个月"),
    ("month", "12", "year yr 年"),
    ("gram", "1/1000", "mg milligram 毫克"),
    ("gram", "1", "g gram gm 克"),
    ("gram", "500", "斤"),
    ("gram", "1000", "kg kilogram kilo 千克 公斤 kgs"),
    ("gram", "1000000", "tonne 吨"),
    ("pound", "1", "pound lb"),
    ("pound", "1/16", "ounce oz"),
    ("pound", "2000", "ton"),
    ("litre", "1/1000", "ml milliliter millilitre 毫升"),
    ("litre", "1", "l liter litre 升"),
    ("gallon", "1", "gallon gal"),
    ("gallon", "1/4", "quart qt"),
    ("gallon", "1/8", "pint pt"),
    ("gallon", "1/16", "cup"),
    ("dollar", "1", "dollar usd buck 美元"),
    ("dollar", "1/100", "cent ¢ 美分"),
    ("euro", "1", "euro eur 欧元"),
    ("sterling", "1", "gbp sterling 英镑"),
    ("yuan", "1", "yuan rmb cny 元 块 块钱 人民币 元钱"),
    ("yuan", "1/10", "角 毛"),
    ("yen", "1", "yen jpy 日元"),
    ("rupee", "1", "rupee rs"),
    ("radian", "1", "radian rad 弧度"),
    ("celsius", "1", "celsius °c 摄氏度"),
    ("fahrenheit", "1", "fahrenheit °f"),
    ("are", "1", "hectare 公顷"),
    ("acre", "1", "acre"),
    ("joule", "1", "joule j"),
    ("newton", "1", "newton n"),
    ("watt", "1", "watt w"),
    ("hertz", "1", "hertz hz"),
    ("bit", "1", "bit"),
    ("bit", "8", "byte"),
)
KNOWN: dict[str, Unit] = {
    name: Unit(((base, 1),), Fraction(size), is_known=True) for base, size, names in _TABLE for name in names.split()
}
_SPEED = {
    "mph": Unit((("metre", 1), ("second", -1)), Fraction(1609344, 3600000), is_known=True),
    "kph": Unit((("metre", 1), ("second", -1)), Fraction(5, 18), is_known=True),
    "kmh": Unit((("metre", 1), ("second", -1)), Fraction(5, 18), is_known=True),
    "m3": Unit((("metre", 3),), Fraction(1), is_known=True),
    "m2": Unit((("metre", 2),), Fraction(1), is_known=True),
    "cm2": Unit((("metre", 2),), Fraction(1, 10**4), is_known=True),
    "cm3": Unit((("metre", 3),), Fraction(1, 10**6), is_known=True),
}
KNOWN.update(_SPEED)
KNOWN["单位"] = Unit((("unit", 1),), Fraction(1), is_known=False)
ANY = Unit((), Fraction(1), is_known=False)
"""What a counting word says: nothing about what is counted."""
_LENGTH = Unit((("unit", 1),), Fraction(1), is_known=False)
PERCENT_WORDS = frozenset({"percent", "percents", "percentage", "pct", "per cent"})
_COUNTING = word_set(
    "个 只 种 人 名 位 棵 本 页 次 倍 岁 辆 张 支 条 件 盒 箱 袋 瓶 朵 头 匹 间 台 架 艘 座 株 颗 粒 枝 把 束 盆 篮 包 份 片 段 "
    "根 圈 层 排 行 列 组 班 队 户 家 道 题 分数 步 台 套 双 对 枚 首 幅 面 级 车 筐 桶 杯 碗 听 节 则 项 度"
)
SINGLE = frozenset("msghlLjnwJNW")
"""Letters that are units only where a space parts them from a number, and variables elsewhere."""
SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12, "dozens": 12,
    "millions": 10**6, "billions": 10**9,
}  # fmt: skip
CURRENCY = {"¤": "dollar", "€": "euro", "£": "sterling", "¥": "yuan", "¢": "cent"}
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "平方": 2, "立方": 3}
_FORBIDDEN = word_set(
    "pi sqrt sin cos tan log ln exp mod squared cubed factorial or and not no than most least over "
    "under plus minus times if else divided "
    "choose base root half halves quarter quarters third thirds fourths fifth fifths "
    "sixth sixths seventh sevenths eighth eighths ninth ninths tenth tenths "
    "hundredth hundredths thousandth thousandths is are was when where but open "
    "import lambda eval exec print return for to from remainder"
)
"""Words after a number that change its value, or make a sentence of it."""
_LIMITING = re.compile("以上|以下|左右|以内|以外|不到|不足|至少|至多|大于|小于|超过|[多余几约非不或之]")
_MAX_WORDS = 5
_CHINESE = re.compile("[\u4e00-\u9fff]")


def is_unit(word: str) -> bool:
    """Whether a word of two letters or more is a unit of the table."""
    return (
        word.lower() in KNOWN or _singular(word.lower()) in KNOWN or word in _COUNTING or word.lower() in PERCENT_WORDS
    )


def measure(words: list[str], power: int = 1) -> Unit:
    """Give the unit that one or more words name.

    >>> measure(["square", "feet"]).dimension, measure(["red", "apples"]).dimension
    ((('metre', 2),), (('apple', 1),))
    """
    words = words[: words.index("in")] if "in" in words[1:-1] else words  # 5 apples in total
    if not words or len(words) > _MAX_WORDS or any(word.lower() in _FORBIDDEN for word in words):
        raise Unreadable(f"{' '.join(words)!r} is not a unit")
    if words[0].rstrip(".").lower() in _POWERS and len(words) > 1:
        return raised(measure(words[1:]), _POWERS[words[0].rstrip(".").lower()])
    if _CHINESE.match(words[0]):
        return raised(_chinese("".join(words)), power)
    if words[:2] == ["degrees", "Celsius"] or words[:2] == ["degrees", "Fahrenheit"]:
        return KNOWN[words[1].lower()]
    word = "sterling" if "sterling" in words else words[0].lower()
    found = (
        KNOWN.get(word)
        or KNOWN.get(_singular(word))
        or (_LENGTH if word in ("unit", "units") else ANY if word in _COUNTING else None)
    )
    if found is None:
        found = Unit(((_singular(words[-1].lower()), 1),), Fraction(1), is_known=False)
    return raised(found, power)


def _chinese(text: str) -> Unit:
    if _LIMITING.search(text):
        raise Unreadable(f"{text!r} limits the number")
    if text.startswith("个") and text[1:] in KNOWN:
        return KNOWN[text[1:]]
    if text.startswith("每") and len(text) > 1:
        return raised(_chinese(text[1:]), -1)
    for prefix, power in (("平方", 2), ("立方", 3)):
        if text.startswith(prefix) and len(text) > 2:
            return raised(_chinese(text[2:]), power)
    if "每" in text[1:]:
        above, _, below = text.partition("每")
        return multiplied(_chinese(above), _chinese(below), -1)
    found = KNOWN.get(text)
    if found is None:
        found = ANY if text[0] in _COUNTING else Unit(((text, 1),), Fraction(1), is_known=False)
    return found


def _singular(word: str) -> str:
    word = word.rstrip(".")
    if word.endswith(("ches", "shes", "xes", "sses", "oes")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def raised(unit: Unit, power: int) -> Unit:
    """Raise a unit to a power."""
    if power == 1:
        return unit
    if not -6 <= power <= 6:
        raise Unreadable("a unit to a high power")
    return Unit(tuple((name, number * power) for name, number in unit.dimension), unit.size**power, unit.is_known)


def multiplied(left: Unit, right: Unit, power: int) -> Unit:
    """Multiply a unit by a power of another."""
    sums = dict(left.dimension)
    for name, number in raised(right, power).dimension:
        sums[name] = sums.get(name, 0) + number
    dimension = tuple(sorted((name, number) for name, number in sums.items() if number))
    return Unit(dimension, left.size * raised(right, power).size, left.is_known and right.is_known)
