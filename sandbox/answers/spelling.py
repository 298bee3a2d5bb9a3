r"""One spelling for each thing: Unicode, LaTeX commands, delimiters, boxes, introductions and final periods.

After `clean` every operator is one Unicode character (`≤`, `∪`, `·` is `*`), a set's braces are `⦃ ⦄` as told from a LaTeX
group's, `\text{...}` is its words, and what only changes the look is gone. Each table is read once over the text; nothing
here backtracks, and the text is bounded before it comes here.
"""

from __future__ import annotations

import re
import unicodedata

from sandbox.answers import spellings as table
from sandbox.answers.chinese import digits
from sandbox.answers.tree import last_match


def clean(text: str) -> str:
    r"""Spell an answer in one way.

    >>> clean(r"The answer is $\dfrac34$."), clean("1,234 × 2"), clean("x²"), clean(r"\boxed{\boxed{5}}")
    ('\\frac34', '1,234 * 2', 'x^{2}', '5')
    """
    if not text.isascii():
        text = _characters(text)
    text = " ".join(text.split())
    for pattern, replacement in table.PLAIN_SPELLINGS:
        text = pattern.sub(replacement, text)
    text = _bare(text)
    if "\\" in text or "{" in text:
        text = _bare(_latex(text))
    if "$" in text:
        text = _money(text)
    if "mod" in text:
        text = table.MODULUS.sub(lambda match: f" mod {match[1] or match[2]}", text)
    if "&" in text and "begin" not in text:
        text = text.replace("&", " and ")
    text = table.ASIDE.sub("", text)
    text = table.CURRENCY_WORD.sub(lambda match: table.CURRENCY_WORDS[match[1]], text)
    for pattern, replacement in table.ASCII_SIGNS:
        text = pattern.sub(replacement, text)
    if "x" in text or "X" in text:
        text = table.TIMES.sub("*", text)
    if not text.isascii():
        text = digits(text)
    text = _bare(" ".join(text.split()))
    return text.replace(" ", "") if table.SPACED_THOUSANDS.fullmatch(text) else text


def squeeze(text: str) -> str:
    """Take out the spaces that do not part two words or numbers, and the braces of a plain exponent."""
    if " " in text:
        text = re.sub(r"(?<!\w) +| +(?!\w)", "", text)
    return re.sub(r"([\^_])\{(\w)\}", r"\1\2", text) if "{" in text else text


def _characters(text: str) -> str:
    text = table.REPEATING.sub(
        lambda match: rf"\dot{{{match[1]}}}" if match[2] == "\u0307" else rf"\overline{{{match[1]}}}", text
    )
    text = text.replace(r"}\overline{", "") if "\u0305" in text else text
    text = table.SUPERSCRIPTS.sub(lambda match: f"^{{{match[0].translate(table.SUPERSCRIPT)}}}", text)
    text = table.SUBSCRIPTS.sub(lambda match: f"_{{{match[0].translate(table.SUBSCRIPT)}}}", text)
    text = table.VULGAR.sub(_vulgar, text)
    text = unicodedata.normalize("NFKC", text.translate(table.CHARACTERS)).translate(table.CHARACTERS)
    text = table.GREEK_LETTER.sub(lambda match: rf"\{table.GREEK[match[0]]} ", text)
    return "".join(character for character in text if character.isascii() or unicodedata.category(character)[0] != "C")


def _vulgar(match: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", match[0]).partition("⁄")
    return rf" \frac{{{above}}}{{{below}}} "


def _bare(text: str) -> str:
    """Take off introductions, math delimiters, boxes and final periods, as often as they come."""
    for _ in range(12):
        before = text
        text = _unboxed(text) if "\\" in text and table.BOX.search(text) else text
        text = _ended(text.strip())
        match = table.INTRODUCTION.match(text) if text[:1].isalpha() or text[:1] in "≈≡=:⇒#" else None
        text = text[match.end() :] if match and match.end() < len(text) else text
        for opening, closing in table.WRAPPERS:
            inner = text[len(opening) : -len(closing)]
            if (
                text.startswith(opening)
                and text.endswith(closing)
                and inner.strip()
                and opening not in inner
                and closing not in inner
            ):
                text = inner.strip()
        if text == before:
            break
    return text


def _ended(text: str) -> str:
    """Take off what ends a sentence, but not the point of `p.m.`, an ellipsis or a factorial."""
    while text and text[-1] in table.ENDINGS and not text.lower().endswith(".m."):
        if text[-1] == "!" and (text.rstrip("! ")[-1:].isalnum() or text.rstrip("! ")[-1:] in ")}]"):
            break
        text = text[:-1]
    while text.endswith("\\") and not text.endswith(r"\begin"):
        text = text[:-1].rstrip()
    return text


def _unboxed(text: str) -> str:
    """Give what stands in the last box; an unclosed box reaches to the end."""
    match = last_match(table.BOX, text)
    if match is None:
        return text
    if not match[0].endswith("{"):
        return text[: match.start()] + text[match.end() :]
    depth = 1
    for position in range(match.end(), len(text)):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                inside, rest = text[match.end() : position], text[position + 1 :]
                if _is_part(text[: match.start()], rest):
                    return text.replace(r"\boxed", "").replace(r"\fbox", "")
                return inside if inside.strip() else text[: match.start()] + rest
    return text[match.end() :]


def _is_part(before: str, after: str) -> bool:
    """Whether a box is only a part of the answer: what stands beside it changes its value, or another box does."""
    if after[:1].isalnum() or after.lstrip().startswith(table.GOES_ON):
        return True
    before = before.rstrip()
    return before[-1:] in ("+", "-", "*", "/", "^") or before[-1:].isdigit() or bool(table.OTHER_BOX.search(before))


def _latex(text: str) -> str:
    text = text.replace(r"\{", "⦃").replace(r"\}", "⦄").replace("\\\\", " ⏎ ")
    for pattern, replacement in table.SYMBOLS:
        text = pattern.sub(replacement, text)
    for _ in range(4):
        unwrapped = table.WORDS.sub(_words, text)
        if unwrapped == text:
            break
        text = unwrapped
    text = table.COMMAND.sub(lambda match: table.SPELLED.get(match[1], match[0]), text)
    text = table.OVER.sub(
        lambda match: rf"\{'frac' if match[2] == 'over' else 'binom'}{{{match[1]}}}{{{match[3]}}}", text
    )
    return table.DEGREES.sub("°", text) if "°" in text else text


def _words(match: re.Match[str]) -> str:
    """Give the words of a text command, kept apart from letters around them."""
    inner = match[1]
    return (
        inner
        if len(inner) == 1 and not match[0].startswith((r"\text", r"\mbox", r"\hbox", r"\mathrm"))
        else f" {inner} "
    )


def _money(text: str) -> str:
    """Tell dollars from math delimiters: a pair whose inside touches both is a pair, a lone one before a digit is money."""
    text = table.MATH.sub(r" \1 ", text)
    text = re.sub(r"\$\s*(?=-?[.\d])", "¤", text)
    return text.replace("$", " ").strip()
