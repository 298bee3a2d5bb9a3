r"""Find the answer in a reply, by the rule of a benchmark (`styles.STYLES`).

Only the end of a long reply is read, and of a reasoning model's only what follows its last `</think>`. A question that asks for a
percent keeps the sign of a last number; one that asks for a rounding rounds a longer decimal, half up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from sandbox.answers.hints import Hints, hints
from sandbox.answers.styles import STYLES
from sandbox.answers.tree import last_match

_MAX_REPLY = 100_000  # characters, from the end

_MARKED = re.compile(r"####[ \t]*([^\n]*)")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?:\{|(?=\w))")
_NAMED = re.compile(
    r"\banswer(?:\s+(?:is|would be|should be|equals)|\s*:|\s*=)(?!\s+not\b)\s*:?[ \t*]*\n?[ \t]*|答案[是为:：]+\s*",
    re.IGNORECASE,
)
_MINERVA = re.compile(r"final answer is:?\s*(.*?)(?:\.?\s*I hope it is correct|$)", re.IGNORECASE | re.DOTALL)
_HEADED = re.compile(r"#\s*Answer\s*\n+\s*([^\n]+)")
_CHINESE = re.compile(
    r"(?:答案|结果)(?:是|为|应为|应该是)?[:：=\s]*([^\n。；;]+)|答[:：]\s*([^\n]+)|(?:因此|所以|故|综上)[,，]?[^\n。]{0,60}?(?:是|为|有|需要|等于|=)\s*([^\n。，,；;]+)"
)
_PART = r"(?:[零一二两三四五六七八九十百点.\d]|千(?![克米])){1,9}"
_CHINESE_FRACTION = re.compile(rf"(?:{_PART}又)?{_PART}分之{_PART}")
_CHINESE_NUMERAL = re.compile(r"(?:[零一二两三四五六七八九十百万亿点]|千(?![克米])){1,20}(?![共样起直些定])")
_ASSIGNED = re.compile(r"\bx\s*=\s*([^\n,，。;；]+)")
_SENTENCE_END = re.compile(
    r"(?<!\b[ap])(?<!\bm)[.!?](?=\s|\*|$)|[,;]\s+(?=[A-Za-z])|[,;]?\s+(?:because|since|so|which|where|as)\b"
)
_FRACTION = r"\\[dt]?frac\s*\{\s*-?\d+\s*\}\s*\{\s*\d+\s*\}"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\w.])[-−]?(?:{_FRACTION})|(?:(?<![\w.)\]}}%])[-−])?[$€£]?(?<![\d.])(?:{_DIGITS})(?:[eE][+-]?\d+)?(?:\s?/\s?\d+(?![\d.]))?(?P<sign>\s?\\?%)?"
)
_ONLY_NUMBER = re.compile(rf"[-−]?[$€£]?(?:{_DIGITS}|{_FRACTION})(?:[eE][+-]?\d+)?(?:\s?/\s?\d+)?%?[.]?")
_CHOICES = (
    re.compile(
        r"(?:answer|option|choice)\s*(?:is|:)?\s*[:：]?\s*\**\(?([A-J])\)?\**(?![A-Za-z'])|答案[是为选:：\s]*\(?([A-J])\)?|选\s*\(?([A-J])",
        re.IGNORECASE,
    ),
    re.compile(r"\\boxed\s*\{\s*(?:\\text\s*\{)?\s*\(?([A-J])\)?\s*\}"),
    re.compile(r"(?<![A-Za-z'])\(?([A-J])\)?(?=[).:,\s]|$)(?!\s*[a-z]{2})"),
)
_DECIMAL = re.compile(r"-?\d+\.\d+")
_TAIL = 2_000  # characters in which words are searched for a named answer; more than any answer has


def extract(reply: str, *, style: str, question: str | None = None) -> str | None:
    r"""Give the answer of a reply, or None when there is none; `style` is a key of `styles.STYLES`.

    >>> extract("2 + 3 = 5\n#### 5", style="final"), extract("It is 7 or 8.", style="last_number")
    ('5', '8')
    >>> extract("所以，答案是十二个。", style="cmath"), extract("The answer is (c).", style="choice")
    ('十二', 'C')
    >>> extract("That is 3.14159", style="last_number", question="Round to the nearest hundredth.")
    '3.14'
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    reply = reply[-_MAX_REPLY:]
    reply = reply.rpartition("</think>")[2]
    asked = hints(question)
    for step in STYLES[style].steps:
        found = _FINDERS[step](reply, asked)
        if found:
            return _rounded(found, asked)
    return None


def _rounded(answer: str, asked: Hints) -> str:
    """Round a decimal that has more places than asked."""
    step = asked.step
    if step is None or step >= 1 or not _DECIMAL.fullmatch(answer):
        return answer
    places = len(str(1 / step)) - 1
    if len(answer.partition(".")[2]) <= places:
        return answer
    value = abs(Fraction(answer))
    whole = int(value / step + Fraction(1, 2))
    digits = str(whole).rjust(places + 1, "0")
    return ("-" if answer.startswith("-") and whole else "") + f"{digits[:-places]}.{digits[-places:]}"


def _marked(reply: str, _: Hints) -> str | None:
    found = _MARKED.findall(reply)
    return _trim(found[-1]) if found else None


def _boxed(reply: str, _: Hints) -> str | None:
    match = last_match(_BOX, reply)
    if match is None:
        return None
    if not match[0].endswith("{"):
        return _trim(re.split(r"[\s$.,]", reply[match.end() :], maxsplit=1)[0])
    return _trim(_balanced(reply, match.end()) or "")


def _balanced(text: str, start: int) -> str | None:
    """Give what stands between an open brace and the one that closes it."""
    depth = 1
    for position in range(start, len(text)):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                return text[start:position]
    return None


def _named(reply: str, _: Hints) -> str | None:
    match = last_match(_NAMED, reply)
    return None if match is None else _sentence(reply[match.end() : match.end() + _TAIL].partition("\n")[0])


def _minerva(reply: str, _: Hints) -> str | None:
    match = last_match(_MINERVA, reply)
    return None if match is None else _trim(match[1][:_TAIL])


def _headed(reply: str, _: Hints) -> str | None:
    found = _HEADED.findall(reply)
    return _trim(found[-1]) if found else None


def _chinese(reply: str, asked: Hints) -> str | None:
    """The value after 答案是, 答 or 所以: the last fraction in words, number or numeral of the clause, or all of it."""
    match = last_match(_CHINESE, reply)
    if match is None:
        return None
    clause = (match[1] or match[2] or match[3])[:_TAIL]
    for pattern in (_CHINESE_FRACTION, None, _CHINESE_NUMERAL):
        if pattern is None:
            found = _last_number(clause, asked._replace(asks_percent=True))
        else:
            value = last_match(pattern, clause)
            found = value[0] if value else None
        if found:
            return found
    return _trim(clause)


def _assigned(reply: str, _: Hints) -> str | None:
    found = _ASSIGNED.findall(reply)
    return _trim(found[-1]) if found else None


def _choice(reply: str, asked: Hints) -> str | None:
    """The letter that is named; else the letter of the option whose text is named."""
    for pattern in _CHOICES[:2]:
        match = last_match(pattern, reply)
        if match:
            return next(letter for letter in match.groups() if letter).upper()
    named = _named(reply, asked)
    chosen = [letter for letter, text in asked.options if named and text.strip(" .,;").lower() == named.lower()]
    if chosen:
        return chosen[-1]
    match = last_match(_CHOICES[2], reply)
    return match[1].upper() if match else None


def _sentence(text: str) -> str | None:
    return _trim(_SENTENCE_END.split(text[:_TAIL], maxsplit=1)[0])


def _trim(text: str) -> str | None:
    return text.strip().strip("*").rstrip(".。").strip().strip("*").strip() or None


def _only_number(reply: str, _: Hints) -> str | None:
    return reply.strip().rstrip(".") if _ONLY_NUMBER.fullmatch(reply.strip()) else None


def _last_number(reply: str, asked: Hints) -> str | None:
    match = last_match(_NUMBER, reply)
    if match is None:
        return None
    sign = match["sign"] or ""
    number = match[0][: len(match[0]) - len(sign)].replace("−", "-").replace("$", "")
    return number + "%" if sign and asked.asks_percent else number


_FINDERS: dict[str, Callable[[str, Hints], str | None]] = {
    "marked": _marked,
    "boxed": _boxed,
    "named": _named,
    "minerva": _minerva,
    "headed": _headed,
    "chinese": _chinese,
    "assigned": _assigned,
    "choice": _choice,
    "only_number": _only_number,
    "last_number": _last_number,
}
