r"""Clean text to a form: choices, times, set phrases and words here, the rest by the grammar.

None says that no form was found. What cannot be read is never guessed at: two such answers are equal only as the same text.
"""

from __future__ import annotations

import re
from fractions import Fraction

from sandbox.answers.grammar import Parser
from sandbox.answers.scan import scan
from sandbox.answers.tree import MAX_LENGTH, Node, Unreadable, kinds, number
from sandbox.answers.words import numbered, phrase, text_of

_PLAIN = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_CHOICE = re.compile(
    r"\(\s*([A-Ja-j])\s*\)\.?|([A-J])[.):]?|(?:\(\s*([A-J])\s*\)|([A-J])\s*[.):])[.:]?\s*([^\s,].*)", re.DOTALL
)
_CHOICES = re.compile(r"\(?[A-J]\)?(?:\s*(?:,|and|&|\s)\s*\(?[A-J]\)?)+|(?=[A-H]{2})A?B?C?D?E?F?G?H?")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?\s*([AaPp])\.?\s?[Mm]\.?")
_CLOCK_24 = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_LABEL = re.compile(r"(?:m\s*)?[^\W\d_][^\W\d_]+(?:[ '][^\W\d_]+){0,5}\s*(?:=|:|is)\s+(?=[-\d(\\¤])")
_REWRITTEN = (
    (re.compile(r"^m\s*\\angle"), r"\\angle"),
    (re.compile(r"^\\angle\s*="), ""),
    (re.compile(r"^an? (?=(?:dozen|hundred|thousand|million|billion)\b)", re.IGNORECASE), "1 "),
    (
        re.compile(r"^(?:_\{?|\^\{?)?(\d{1,3})\}?\s*C\s*_?\{?(\d{1,3})\}?$|^C_\{?(\d{1,3})\}?\^\{?(\d{1,3})\}?$"),
        r"C(\1\3,\2\4)",
    ),
    (re.compile(r"^(\d{1,3})\s*P\s*(\d{1,3})$"), r"P(\1,\2)"),
    (re.compile(r"(\.\d*)(\d) repeating$"), r"\1\\overline{\2}"),
    (re.compile(r"^([a-z])\s*:\s"), r"\1 = "),
    (re.compile(r"^(?:line )?segment (?=[A-Z]{2}$)"), r"\\overline "),
)
_EXCEPT = re.compile(
    r"(?:all |any )?real (?:numbers?|values)(?: of)?(?: x)?,? "
    r"(?:except|other than|but|excluding|besides)(?: for)?(?: x ?=)? (?=\S)",
    re.IGNORECASE,
)
_STATED = re.compile(r"[\w%.,' ]{3,80}? (?:is|equals) (-?¤?[\d.,/]+%?)")
_SENTENCE = re.compile(r"[A-Za-z][A-Za-z ,':()\"-]*?(?:[ :(]|(?=¤))(?=[-¤(\[\\⦃]?[\d\\(\[¤])")
_VALUE = re.compile(r"(-?[¤€£¥]?[\d.,/]+%?|-?[¤€£¥]?\\frac\{\d+\}\{\d+\})((?: [A-Za-z][A-Za-z'-]*){1,12})")
_LIMITING = re.compile(
    r"\b(?:not|no|never|most|least|more|less|fewer|greater|than|or|over|under|between|than|above|below|almost|nearly|about|around|approximately|"
    r"roughly|from|maximum|minimum|cannot|can't|isn't|if|unless|either|neither|and|base|mod|except|without|negative|minus|half|plus|times|million|"
    r"billion|thousand|hundred|dozen|percent|squared|cubed|factorial)\b|n't\b",
    re.IGNORECASE,
)
_HOSTILE = re.compile(r"__|\b(?:import|lambda|exec|eval|open|system)\b\s*\(?")


def read(text: str) -> Node | None:
    r"""Give the form of a clean answer.

    >>> read("3/4").kind, read("[1,2)").value, read("3:30 pm").value, read("east").value, read("5**")
    ('quotient', '[)', (55800, True), 'east', None)
    """
    if len(text) > MAX_LENGTH:
        return None
    if _PLAIN.fullmatch(text):
        return number(Fraction(text.replace(",", "")))
    found = phrase(text) or _time(text) or _choice(text)
    if found:
        return found
    if _HOSTILE.search(text):
        return None
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    try:
        node = Parser(scan(text)).whole()
    except Unreadable:
        return _in_words(text)
    return lifted(node) if "±" in text or "∓" in text else node


def lifted(node: Node) -> Node:
    """Bring a plus-minus inside an expression to its outside."""
    if node.kind in ("list", "set", "tuple", "relation", "quantity"):
        return node._replace(parts=tuple(lifted(part) for part in node.parts))
    if node.kind == "either" or "either" not in kinds(node):
        return node
    return Node("either", (_picked(node, 0), _picked(node, 1)), "±")


def _picked(node: Node, sign: int) -> Node:
    if node.kind == "either":
        return _picked(node.parts[sign], sign)
    return node._replace(parts=tuple(_picked(part, sign) for part in node.parts)) if node.parts else node


def _in_words(text: str) -> Node | None:
    label = _LABEL.match(text)
    rewritten = text[label.end() :] if label and not _LIMITING.search(label[0]) else numbered(text)
    if rewritten != text:
        try:
            return Parser(scan(rewritten)).whole()
        except Unreadable:
            pass
    stated = _STATED.fullmatch(text)
    if stated and not _LIMITING.search(text):
        return read(stated[1])
    return _in_sentence(text) or _all_but(text) or text_of(text)


def _all_but(text: str) -> Node | None:
    """All real numbers save a few."""
    match = _EXCEPT.match(text)
    hole = read(text[match.end() :]) if match else None
    if hole is None:
        return None
    return Node(
        "without",
        (Node("reals"), hole if hole.kind == "set" else Node("set", hole.parts if hole.kind == "list" else (hole,))),
    )


def _in_sentence(text: str) -> Node | None:
    """The one value of a sentence: `She has 5 apples left`. None where a word may change it: at most 5, 5 or 6."""
    match = _SENTENCE.match(text)
    if not match or text.count(" ") < 2 or _LIMITING.search(match[0]):
        return None
    rest = text[match.end() :]
    try:
        return Parser(scan(rest)).whole()
    except Unreadable:
        value = _VALUE.fullmatch(rest)
    if not value or _LIMITING.search(value[2]) or value[2].startswith((" is ", " was ", " has ")):
        return None  # problem 5 is hard
    try:
        return Parser(scan(" ".join(rest.split(" ")[:2]))).whole()
    except Unreadable:
        return None


def _time(text: str) -> Node | None:
    """A time of the day in seconds, and whether morning or afternoon is known."""
    if text.lower() in ("noon", "midnight"):
        return Node("time", (), (43_200 if text.lower() == "noon" else 0, True))
    for word, mark in ((" noon", " pm"), (" midnight", " am")):
        text = text[: -len(word)] + mark if text.startswith("12") and text.endswith(word) else text
    if text.endswith(" o'clock") and text[:-8].isdecimal():
        text = text[:-8] + ":00"
    match = _CLOCK.fullmatch(text)
    marked = match is not None
    match = match or _CLOCK_24.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    if hours > (12 if marked else 24) or minutes > 59 or seconds > 59:
        return None
    if marked:
        hours = hours % 12 + (12 if match[4] in "Pp" else 0)
    is_known = marked or hours > 12 or hours == 0
    return Node("time", (number(hours), number(minutes)), (3600 * hours + 60 * minutes + seconds, is_known))


def _choice(text: str) -> Node | None:
    """Letters of answers to choose from, with what stands behind a letter."""
    if _CHOICES.fullmatch(text) and len(text) < 40:
        return Node("choice", (), "".join(sorted(re.findall("[A-J]", text.replace("and", "")))))
    match = _CHOICE.fullmatch(text)
    if match:
        letter = (match[1] or match[2] or match[3] or match[4]).upper()
        content = read(match[5]) if match[5] else None
        return Node("choice", (content,) if content else (), letter)
    return None
