"""Copies of a question as a leak would look: with other numbers, other names, other words, more sentences, another order.

Each is a function of the question and a random generator that is seeded by the question, so a copy is the same each time.
"""

import re
from collections import Counter
from collections.abc import Callable
from random import Random

from corpora.math.questions import NUMBER_WORDS

Change = Callable[[str, Random], str]

NAMES = ("Ada", "Bo", "Cleo", "Dmitri", "Esra", "Farid", "Greta", "Hana", "Igor", "Jomo", "Kiri", "Luca")
OTHERS = ("lantern", "pebble", "saddle", "ribbon", "kettle", "walnut", "feather", "bucket", "compass", "anchor")
_SENTENCES = re.compile(r"(?<=[.?!])\s+")
_KEPT_WORDS = re.compile(
    "have|many|more|much|with|they|that|what|from|does|total|each|left|then|their|there|this|were|will|other|when|over|into|"
    "them|your|after|before|which|than"
)
_KEPT_NAMES = re.compile(
    "The|A|An|If|In|On|At|How|What|When|There|He|She|They|His|Her|It|Each|For|Every|And|But|Of|To|Find|Let|I"
)


def numbers(question: str, rng: Random) -> str:
    """Give every number another value."""
    return re.sub(r"\d{1,8}", lambda match: str(int(match[0]) + rng.randint(1, 9)), question)


def spelled(question: str, rng: Random) -> str:
    """Write small numbers as words, and half of the words as numbers."""
    words = re.sub(
        r"(?<![\d.,])\d{1,2}(?![\d.,]*\d)", lambda m: NUMBER_WORDS[int(m[0])] if int(m[0]) < 13 else m[0], question
    )
    return re.sub(
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten)\b",
        lambda match: str(NUMBER_WORDS.index(match[0])) if rng.random() < 0.5 else match[0],
        words,
    )


def names(question: str, rng: Random) -> str:
    """Give every person and place another name."""
    small, pool = set(re.findall(r"\b[a-z]+\b", question)), rng.sample(NAMES, len(NAMES))
    new: dict[str, str] = {}
    return re.sub(
        r"\b[A-Z][a-z]+\b",
        lambda match: (
            match[0]
            if match[0].lower() in small or _KEPT_NAMES.fullmatch(match[0])
            else new.setdefault(match[0], pool[len(new) % len(pool)])
        ),
        question,
    )


def objects(question: str, rng: Random) -> str:
    """Put three other things where the three most frequent long words were."""
    found = [word for word in re.findall(r"\b[a-z]{4,}\b", question) if not _KEPT_WORDS.fullmatch(word)]
    new = dict(zip((word for word, _ in Counter(found).most_common(3)), rng.sample(OTHERS, 3), strict=False))
    return re.sub(r"\b[a-z]{4,}\b", lambda match: new.get(match[0], match[0]), question)


def every(step: int) -> Change:
    """Put another word at every `step`-th place."""

    def change(question: str, rng: Random) -> str:
        words = question.split(" ")
        return " ".join(
            rng.choice(OTHERS) if place % step == step - 1 and not re.search(r"\d", word) else word
            for place, word in enumerate(words)
        )

    return change


def clauses(question: str, _rng: Random) -> str:
    """Say two sentences more."""
    parts = _SENTENCES.split(question)
    parts.insert(len(parts) // 2, "The weather was mild that week, and nobody was in a hurry.")
    parts.insert(1, "A neighbour watched from the window for a while.")
    return " ".join(parts)


def order(question: str, rng: Random) -> str:
    """Say the sentences before the last one in another order."""
    *head, last = _SENTENCES.split(question)
    rng.shuffle(head)
    return " ".join([*head, last])


def surrounded(question: str, _rng: Random) -> str:
    """Put an instruction before the question, and a demand behind it."""
    return (
        f"Solve this step by step: {question} If we know the answer to the above question is 72, what is the value of "
        "the unknown variable X? Explain how it is found, then check it."
    )


def both(*changes: Change) -> Change:
    """Change one way after the other."""

    def change(question: str, rng: Random) -> str:
        for one in changes:
            question = one(question, rng)
        return question

    return change


COPIES: dict[str, Change] = {
    "as published, in capitals": lambda question, _: re.sub(r"[?;]", " ", question.upper()),
    "numbers changed": numbers,
    "numbers spelled": spelled,
    "names changed": names,
    "names and numbers changed": both(names, numbers),
    "three nouns changed": objects,
    "names, nouns and numbers changed": both(names, objects, numbers),
    "every eighth word changed": every(8),
    "every fifth word changed": every(5),
    "two sentences added": clauses,
    "two sentences added, numbers changed": both(clauses, numbers),
    "sentences in another order": order,
    "another order, numbers changed": both(order, numbers),
    "inside a longer prompt": surrounded,
}


def copy(name: str, question: str) -> str:
    """Make the copy of that name."""
    return COPIES[name](question, Random(question))
