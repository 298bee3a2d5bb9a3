"""How the numbers of a question feed the steps of its solution.

Every number of a step must be one of the question's numbers, a percent of the question, an earlier result, or a constant
that the question gives evidence for ("dozen" for 12). The rules that freeze a number were each added for an error seen
when variants were read: an equal number word in question or solution ("three times a day" beside "3 grams", "for the five
jobs" beside "5 jobs"), a small number used at two places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from corpora.math.annotations import NUMBER, Chain, Unusable, read_chain, to_value, without_annotations

_SMALL = 12  # a number up to this, used twice, may be two different quantities
_YEARS = range(1900, 2101)
_CALENDAR = re.compile(
    r"[ -](?:seconds?|minutes?|hours?|days?|weeks?|months?) (?:(?:a|an|per|each|every|in a|in an|of the|out of the) )?"
    r"(?:minute|hour|day|week|month|year)\b",
    re.IGNORECASE,
)
"""A week has seven days however the numbers change."""


@dataclass(frozen=True)
class Quantity:
    """A number in the question; a frozen one keeps its value."""

    text: str
    start: int
    end: int
    value: Fraction
    is_percent: bool
    is_frozen: bool


@dataclass(frozen=True)
class Source:
    """Where a number of a step may come from: a quantity times `scale`, or an earlier result."""

    index: int
    is_result: bool = False
    scale: Fraction = Fraction(1)


@dataclass(frozen=True)
class Structure:
    """A question, its quantities, its solution, and for every number of every step the sources it may have."""

    question: str
    quantities: tuple[Quantity, ...]
    chain: Chain
    sources: tuple[tuple[tuple[Source, ...], ...], ...]
    words: frozenset[Fraction]
    """Values of the number words in the question: a step that uses one may mean it."""

    def used(self) -> set[int]:
        """Name the quantities that a step may use."""
        return {s.index for step in self.sources for operand in step for s in operand if not s.is_result}

    def constants(self) -> set[Fraction]:
        """Give the numbers of steps that come from nowhere."""
        pairs = zip(self.chain.steps, self.sources, strict=True)
        return {v for step, found in pairs for v, s in zip(step.expression.operands, found, strict=True) if not s}

    def propagate(self, changed: Mapping[int, Fraction]) -> list[Fraction]:
        """Execute the steps with other quantities; sources that now differ are an ambiguity."""
        results: list[Fraction] = []
        for step, found in zip(self.chain.steps, self.sources, strict=True):
            operands = []
            for value, sources in zip(step.expression.operands, found, strict=True):
                values = {self._value(s, value, changed, results) for s in sources}
                if value in self.words or not sources:
                    values.add(value)
                if len(values) > 1:
                    raise Unusable("ambiguous reference")
                operands.append(values.pop())
            results.append(step.expression.evaluate(operands))
        return results

    @staticmethod
    def _value(
        source: Source, value: Fraction, changed: Mapping[int, Fraction], results: Sequence[Fraction]
    ) -> Fraction:
        if source.is_result:
            return results[source.index]
        return changed[source.index] * source.scale if source.index in changed else value


def analyse(question: str, solution: str) -> Structure:
    """Read a problem; `Unusable` when its steps do not prove its answer."""
    chain = read_chain(solution)
    uses = Counter(value for step in chain.steps for value in step.expression.operands)
    words = number_words(question)
    quantities = _quantities(question, words | number_words(without_annotations(chain.body)), uses)
    sources = []
    for number, step in enumerate(chain.steps):
        earlier = chain.results[:number]
        sources.append(tuple(_sources(value, quantities, earlier) for value in step.expression.operands))
    return Structure(question, quantities, chain, tuple(sources), frozenset(words))


def has_evidence(value: Fraction, question: str) -> bool:
    """Whether the words of a question account for a constant of its solution.

    >>> has_evidence(Fraction(12), "How many eggs are in 3 dozen?"), has_evidence(Fraction(13), "a baker's dozen")
    (True, False)
    """
    pattern = _EVIDENCE.get(value)
    return pattern is not None and pattern.search(question) is not None


def number_words(text: str) -> set[Fraction]:
    """Give the values of the words that stand for a number.

    >>> number_words("Twice a week") == {2, 7}
    True
    """
    return {_WORDS[match[1].lower()] for match in _NUMBER_WORD.finditer(text)}


def _quantities(question: str, words: set[Fraction], uses: Counter[Fraction]) -> tuple[Quantity, ...]:
    found = []
    for match in NUMBER.finditer(question):
        value = to_value(match.group())
        is_small_and_reused = uses[value] > 1 and value <= _SMALL
        frozen = _is_fixed_form(question, match, value) or value in words or is_small_and_reused
        percent = re.match(r"\s*(%|percent)", question[match.end() :]) is not None
        found.append(Quantity(match.group(), match.start(), match.end(), value, percent, frozen))
    return tuple(found)


def _is_fixed_form(question: str, match: re.Match[str], value: Fraction) -> bool:
    """Fractions, clock times, calendars, ordinals, names with digits, years, and numbers below 2 stay as they are."""
    before, after = question[max(0, match.start() - 1) : match.start()], question[match.end() : match.end() + 30]
    is_year = value.denominator == 1 and int(value) in _YEARS and "," not in match.group() and before != "$"
    is_clock = before == ":" or re.match(r":\d|\s?[ap]\.?m\b", after, re.IGNORECASE) is not None
    is_glued = before in ("/", "x", "X") or re.match(r"/|\s\d+/\d|[A-Za-z]", after) is not None
    return value < 2 or is_year or is_clock or is_glued or _CALENDAR.match(after) is not None


def _sources(value: Fraction, quantities: Sequence[Quantity], earlier: Sequence[Fraction]) -> tuple[Source, ...]:
    numbers = [Source(i) for i, quantity in enumerate(quantities) if quantity.value == value]
    percents = [
        Source(i, scale=Fraction(1, 100))
        for i, quantity in enumerate(quantities)
        if quantity.is_percent and quantity.value == 100 * value and value != quantity.value
    ]
    results = [Source(i, is_result=True) for i, result in enumerate(earlier) if result == value]
    return (*numbers, *percents, *results)


_WORDS = {
    word: Fraction(value)
    for value, words in {
        1: "one",
        2: "two twice double doubles doubled half halves both couple pair pairs",
        3: "three thrice triple triples tripled third thirds",
        4: "four quarter quarters fourth fourths",
        5: "five fifth fifths",
        6: "six sixth",
        7: "seven week weeks",
        8: "eight",
        9: "nine",
        10: "ten",
        11: "eleven",
        12: "twelve dozen year years",
        20: "twenty",
        30: "thirty",
        40: "forty",
        50: "fifty",
        60: "sixty",
        100: "hundred",
    }.items()
    for word in words.split()
}
_NUMBER_WORD = re.compile(r"\b(" + "|".join(_WORDS) + r")\b", re.IGNORECASE)

_EVIDENCE = {
    Fraction(value): re.compile(pattern, re.IGNORECASE)
    for value, pattern in {
        "1/4": r"quarter",
        "1/2": r"half|halv",
        "3/4": r"three.quarters|quarter",
        "1": r"\bone\b|%|percent|\b[a-z]+self\b|including|another|\ba\b|each|per|every",
        "2": r"two\b|twice|half|halves|double|couple|pair|both|second|halv|bi-?weekly",
        "3": r"three|triple|thrice|third",
        "4": r"four|quarter|quadrupl",
        "5": r"five|fifth|weekday|work ?days?|nickel",
        "6": r"six",
        "7": r"week|seven|daily|day",
        "8": r"eight",
        "9": r"nine|ninth",
        "10": r"\bten\b|tenth|dime|decade",
        "11": r"eleven",
        "12": r"dozen|month|year|twelve|feet|foot|inch|annual",
        "15": r"fifteen|quarter",
        "16": r"ounce|pound",
        "20": r"twenty|score",
        "24": r"day|hour|dozen",
        "28": r"feb|week",
        "30": r"month|thirty",
        "31": r"month",
        "50": r"fifty|half",
        "52": r"year|week",
        "60": r"hour|minute|second|sixty",
        "100": r"%|percent|cent|hundred|meter|dollar|\$",
        "365": r"year|day",
        "1000": r"kilo|thousand|km|kg|liter|gram|meter|\bml\b",
        "3600": r"hour",
        "5280": r"mile",
    }.items()
}
"""Words that stand for a constant a solution may use without a number in the question."""
