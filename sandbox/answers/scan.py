r"""Clean text to tokens: numbers with their exact value, names, functions, units, words and signs.

A run of letters is a function, a connective, a unit, a product of a few letters used as variables, or a word; a word never
becomes a product of its letters. A comma inside digits parts thousands, save for a bracket that holds nothing else. Linear.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, NamedTuple

from sandbox.answers.tree import MAX_TOKENS, Unreadable, word_set
from sandbox.answers.units import SCALES, is_unit
from sandbox.answers.words import ONES

_MAX_EXPONENT = 6_000  # of scientific notation
_BASES = {word: value for word, value in ONES.items() if 2 <= value <= 16}
FUNCTIONS = word_set(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc "
    "sinh cosh tanh coth asin acos atan ln log lg exp sqrt cbrt abs floor ceil gcd "
    "lcm min max det Re Im arg sgn sign cis"
)
_CONNECTIVES = {"or": "or", "and": "and", "mod": "mod",
    "choose": "choose", "to": "to", "if": "if", "or else": "or", "otherwise": "otherwise",
    "when": "if", "for": "if", "where": "if", "或": "or", "和": "and",
    "且": "and", "与": "and", "或者": "or", "以及": "and", "比": ":", "per": "per",
    "union": "∪", "intersection": "∩", "intersect": "∩", "else": "otherwise", "times": "*"}  # fmt: skip
_CONSTANTS = {
    "pi": "pi",
    "infinity": "infinity",
    "inf": "infinity",
    "oo": "infinity",
    "Infinity": "infinity",
    "Pi": "pi",
}
_MATH_RUN = re.compile(r"[abcxyzkmnpqr]{2,3}")
_COMMON_WORDS = word_set("by my may can any map man bar car ran cab bay pay nap cap pan ban pam par ray mac many yam")
_SPLIT = re.compile(r"([a-zA-Z]?)(arcsin|arccos|arctan|cis|sin|cos|tan|ln|log|pi|sqrt|exp)([a-zA-Z]?)")

_TOKEN = re.compile(
    r"""(?P<gap>\s*)(?:
    (?P<based>(?<![\w.])(?=[(.]?\s*[0-9A-F]{0,63}\d)(?:\(\s*[0-9A-F]{1,64}\s*\)|[0-9A-F]{1,64}(?:\.\d{1,64})?|\.\d{1,64})\s*(?:_\s*(?:\{\s*(?:\d{1,2}|[a-z]{3,8})\s*\}|\d{1,2}|[a-z]{3,8})
        |(?:in\s|\()?\s*base\s*(?:\{\s*)?(?:\d{1,2}|[a-z]{3,8})(?:\s*[})])?)|\d[0-9a-f]{1,63}\s*_\s*\{1\d\})
    |(?P<repeating>(?:\d*\.\d*)\s*\\(?:overline|bar|dot)\s*(?:\{\s*\d+\s*\}|\d)(?:\d*\s*\\dot\s*(?:\{\s*\d\s*\}|\d))?|0?\.\d*\(\d+\)|\d+\.\(\d+\)
        |\d*\.\d+\s?(?:…|\.\.\.+))
    |(?P<number>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|(?:\d+\.\d+|\.\d+|\d+(?:\.(?![.\d]))?)(?:[eE][+-]?\d{1,6}(?![\d.]))?)
    |(?P<command>\\[A-Za-z]+)
    |(?P<run>[A-Za-z]+|[\u4e00-\u9fff]+)
    |(?P<sign>\.\.\.|<>|[-+*/^_=<>≤≥≠≈≡±∓∞∪∩∈∅∖→⇒°…⦃⦄⟨⟩ℝ⏎¤€£¥¢(){}\[\]|!,;:%'"&])
    )""",
    re.VERBOSE,
)
_DIGITS = re.compile(r"\d+")


class Token(NamedTuple):
    """A token: kind, text, whether a space stands before it, and a value for numbers."""

    kind: str
    text: str
    gap: bool
    value: Any = None


END = Token("end", "", gap=False)


def scan(text: str) -> list[Token]:
    """Cut clean text into tokens.

    >>> [(token.kind, token.text) for token in scan("2x ≤ 1,000 cm")]
    [('number', '2'), ('name', 'x'), ('sign', '≤'), ('number', '1,000'), ('unit', 'cm')]
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            if not text[position:].strip():
                break
            raise Unreadable(f"{text[position : position + 10]!r} is no sign of mathematics")
        kind = str(match.lastgroup)
        found = match[kind]
        position = match.end()
        if kind == "number" and "," in found and _is_list(text, match.start(kind), position):
            found = _DIGITS.match(found)[0]  # type: ignore[index]  # it starts with digits
            position = match.start(kind) + len(found)
        _add(tokens, kind, found, bool(match["gap"]), text[position : position + 1])
        if len(tokens) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} tokens")
    return tokens


def _is_list(text: str, start: int, end: int) -> bool:
    """Whether `1,234` fills a bracket: a pair then, and not a thousand."""
    before, after = text[:start].rstrip("- ")[-1:], text[end : end + 1]
    return before in ("(", "[", "⦃", "{", "⟨", ",") and after in (")", "]", "⦄", "}", "⟩", ",")


def _add(tokens: list[Token], kind: str, text: str, gap: bool, following: str) -> None:  # noqa: FBT001
    if kind == "number":
        tokens.append(Token("number", text, gap, _number(text)))
    elif kind == "repeating":
        tokens.append(Token("number", "", gap, _repeating(text)))
    elif kind == "based":
        tokens.append(Token("based", text, gap, _based(text)))
    elif kind == "command":
        tokens.append(_command(text[1:], gap))
    elif kind == "run":
        tokens.extend(_run(text, gap, tokens[-1] if tokens else END, following))
    else:
        tokens.append(Token("sign", {"...": "…", "<>": "≠"}.get(text, text), gap))


def _number(text: str) -> Fraction:
    mantissa, mark, exponent = text.replace(",", "").replace("E", "e").partition("e")
    if mark and abs(int(exponent)) > _MAX_EXPONENT:
        raise Unreadable("exponent too large")
    value = Fraction(mantissa.rstrip(".") or "0") if not mantissa.isdecimal() else Fraction(int(mantissa))
    return value * Fraction(10) ** int(exponent) if mark else value


def _repeating(text: str) -> Fraction:
    """The value of a decimal whose digits repeat: marked by a bar, by dots, by brackets, or seen before an ellipsis."""
    fixed, period = _period(text)
    whole, _, decimals = fixed.partition(".")
    value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals))
    return value + Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(decimals))


def _period(text: str) -> tuple[str, str]:
    text = text.replace(" ", "")
    if "(" in text:
        return text[: text.index("(")], text[text.index("(") + 1 : -1]
    if "\\" in text:
        fixed, _, rest = text.partition("\\")
        return fixed, "".join(_DIGITS.findall(rest))
    digits = text.rstrip("….")
    whole, _, decimals = digits.partition(".")
    for length in range(1, len(decimals) // 2 + 1):
        for start in range(min(4, len(decimals) - 2 * length + 1)):
            tail = decimals[start:]
            times = len(tail) / length
            if times >= (3 if length == 1 else 2) and all(a == b for a, b in zip(tail, tail[length:], strict=False)):
                return f"{whole}.{decimals[:start]}", tail[:length]
    raise Unreadable("decimals that go on, without a period")


def _based(text: str) -> tuple[str, int]:
    digits, base = re.split(r"_|(?:in\s|\()?\s*base", text, maxsplit=1)
    base = base.strip("{} )")
    number = int(base) if base.isdecimal() else _BASES.get(base, 0)
    if not 2 <= number <= 36:
        raise Unreadable("not a base")
    return digits.strip("() ").upper(), number


def _command(name: str, gap: bool) -> Token:  # noqa: FBT001
    if name in FUNCTIONS:
        return Token("function", name, gap)
    if name in _CONSTANTS:
        return Token("constant", _CONSTANTS[name], gap)
    return Token("command", name, gap)


def _run(run: str, gap: bool, before: Token, following: str) -> list[Token]:  # noqa: FBT001
    after_value = before.kind in ("number", "unit", "word") or before.text in (")", "}", "pi")
    is_measure = after_value and following not in ("(", "{", "[", "^")
    if run == "in":
        return [Token("unit", run, gap) if after_value and following not in ("[", "(") else Token("sign", "∈", gap)]
    if run in ("min", "sec", "deg") and is_measure:
        return [Token("unit", run, gap)]
    if run in FUNCTIONS:
        return [Token("function", run, gap)]
    if run in _CONSTANTS:
        return [Token("constant", _CONSTANTS[run], gap)]
    if run in _CONNECTIVES:
        return [Token("sign", _CONNECTIVES[run], gap)]
    if len(run) == 1 and run.isascii():
        return [Token("name", run, gap)]
    if run.lower() in SCALES:
        return [Token("scale", run.lower(), gap)]
    if is_unit(run) and after_value:
        return [Token("unit", run, gap)]
    return _split(run, gap)


def _split(run: str, gap: bool) -> list[Token]:  # noqa: FBT001
    if _MATH_RUN.fullmatch(run) and run not in _COMMON_WORDS:
        return [Token("name", letter, gap and not place) for place, letter in enumerate(run)]
    if 2 <= len(run) <= 4 and run.isupper() and run.isascii():
        return [Token("name", run, gap)]
    match = _SPLIT.fullmatch(run)
    if match:
        middle = Token("constant", "pi", gap) if match[2] == "pi" else Token("function", match[2], gap)
        ends = [Token("name", letter, gap) for letter in (match[1], match[3])]
        return [token for token in (ends[0], middle, ends[1]) if token.text]
    return [Token("unit" if is_unit(run) else "word", run, gap)]
