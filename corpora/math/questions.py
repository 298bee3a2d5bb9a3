r"""How a question is read to be compared: folded characters, words, numbers.

Width, case and other forms of one character fold into one (`３／５ ％` reads `3/5 %`), and what is not seen is dropped. A word is
a number (`1,200.50` is one), a run of letters, or one Chinese character, which has no spaces beside it. Operators are
kept apart: they are no words, but `2 + 3` and `2 - 3` are not the same question. Of LaTeX, layout is not read
(`\left`, `\dfrac` is `\frac`). The loops are in `kernels.py`; here are the tables, and where in the text a word stood.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty"),
    *("fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million"),
)
"""Read as numbers where numbers are masked."""
LATEX = dict.fromkeys(
    ("left", "right", "displaystyle", "text", "textbf", "mathrm", "mbox", "quad", "qquad", "big"), ""
) | {"dfrac": "frac", "tfrac": "frac", "cdot": "*", "times": "*", "div": "/", "le": "leq", "ge": "geq", "ne": "neq"}
"""What a command is read as, "" for not at all."""
_WORD = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[\u3000-\U0010ffff]|[^\W\d_\u3000-\U0010ffff]+")
_SIGNED = re.compile(rf"{_WORD.pattern}|[-+*/^=<>%!|()\[\]]")
_SIGNS = {**dict.fromkeys("×·⋅∗✕", "*"), **dict.fromkeys("÷∕⁄", "/"), **dict.fromkeys("−–—‐‑‒", "-")}


class _Fold(dict[int, str]):
    """From the code of a character to what is read for it, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        mark = chr(code)
        found = _SIGNS.get(mark) or "".join(_SIGNS.get(one, one) for one in unicodedata.normalize("NFKC", mark)).lower()
        kind = unicodedata.category(mark)
        if kind == "Cf":
            found = ""
        elif not found.isascii() and (kind == "Cs" or not all(unicodedata.category(one)[0] in "LMN" for one in found)):
            found = " "
        self[code] = found
        return found


_FOLD = _Fold()


def fold(text: str) -> str:
    """Bring all forms of a character to one; what is no letter, number or sign of ASCII becomes a space.

    >>> fold("３／５ ％，１２\u200b0 É×２。")
    '3/5 %,120 é*2 '
    """
    return text if text.isascii() else text.translate(_FOLD)


def place(text: str, offset: int) -> int:
    """Say which character of a text became the byte at `offset` of the folded text.

    >>> place("１２个３", 5)
    3
    """
    if text.isascii():
        return offset
    ends = accumulate(len(_FOLD[ord(mark)].encode()) for mark in text)
    return next((index for index, end in enumerate(ends) if end > offset), len(text))


def words(text: str, *, signs: bool = False) -> list[str]:
    """Cut a text into words, numbers without their commas, and where asked for signs.

    >>> words("It's 1,200.50, Ann!"), words("小明有3个", signs=True)
    (['it', 's', '1200.50', 'ann'], ['小', '明', '有', '3', '个'])
    """
    found = (_SIGNED if signs else _WORD).findall(fold(text).lower())
    return [word.replace(",", "") if word[0].isdigit() else word for word in found]


def numbers(text: str) -> list[str]:
    """List the numbers of a text, sorted."""
    return sorted(word for word in words(text) if word[0].isdigit())
