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
_CONVERSIONS = (24, 52, 60, 365, 1000)
"""A step that uses one may mean it, and not the question's number: 60 words a minute, 60 minutes an hour."""
_PERCENT = re.compile(r"%|\bpercent|\bcents?\b|\bhundred", re.IGNORECASE)
_OF_HUNDRED = re.compile(r"/ ?\(?100(?![\d.])|(?<!\d)0?\.01(?!\d)|(?<![\d.])100 ?-")
"""Beside these a percent is a number: 35/100, 35*.01, 100-35."""
_YEARS = range(1900, 2101)
MONEY = "$"
_PART = re.compile(r"\d ?[/:]\s?\d")
_COUNTED = re.compile(r" (?:(?:more|other|new|different|additional) )?([a-z]+)")
_TIME = "second|minute|hour|day|week|month|year|decade"
_LENGTH = "millimeter|centimeter|meter|kilometer|inch|inche|foot|feet|yard|mile|mm|cm|m|km|ft"
_VOLUME = "milliliter|liter|ounce|cup|pint|quart|gallon|teaspoon|tablespoon|ml|oz"
_WEIGHT = "milligram|gram|kilogram|kilo|ounce|pound|ton|tonne|mg|g|kg|lb|oz"
_COINS = "cent|nickel|dime|quarter|dollar|penny|pennie"


def _measures(names: str) -> str:
    link = r"(?:a|an|per|each|every|in|to|in an?|in one|in each|makes?|makes? an?|of the|out of the|equals? \w+)"
    return rf"(?:{names})s? (?:{link} )?(?:{names})s?\b"


_CONVERSION = re.compile(
    "[ -](?:" + "|".join(map(_measures, (_TIME, _LENGTH, _VOLUME, _WEIGHT, _COINS))) + ")", re.IGNORECASE
)
"""A week has seven days, a foot twelve inches, however the numbers change."""
_FACT = re.compile(
    r"[ -](?:(?:front|back|hind) )?(?:legs?|legged|wheels?|wheeled|eyes?|ears?|wings?|fingers?|toes?|arms?|paws?|sides?|sided|"
    r"faces?|corners?|tentacles?|horns?|strings?|suits?|stripes?|pointers?|points? shots?|point shots?|letters?|states?|"
    r"planets?|cents? coins?|dollars? bills?|bills?)\b",
    re.IGNORECASE,
)
"""What has a number by nature: a dog has four legs, a name its letters, a shot its points, a bill its value."""


@dataclass(frozen=True)
class Quantity:
    """A number in the question; a frozen one keeps its value."""

    text: str
    start: int
    end: int
    value: Fraction
    is_percent: bool
    is_frozen: bool
    is_plain: bool = True
    """Whether its value, in a step, can mean nothing else: no number word, no fraction of which it is half."""


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
    """Values of the number words in the question, and of conversions: a step that uses one may mean it."""

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
    words = number_words(question) | _conversions(question)
    quantities = _quantities(question, words | number_words(without_annotations(chain.body)), uses)
    sources = []
    for number, step in enumerate(chain.steps):
        earlier = chain.results[:number]
        of_hundred = _OF_HUNDRED.search(step.expression.text) is not None
        operands = step.expression.operands
        sources.append(tuple(_sources(value, quantities, earlier, of_hundred=of_hundred) for value in operands))
    return Structure(question, quantities, chain, tuple(sources), frozenset(words))


def has_evidence(value: Fraction, question: str) -> bool:
    """Whether the words of a question account for a constant of its solution.

    >>> has_evidence(Fraction(12), "How many eggs are in 3 dozen?"), has_evidence(Fraction(13), "a baker's dozen")
    (True, False)
    """
    pattern = _EVIDENCE.get(value)
    return pattern is not None and pattern.search(question) is not None


def unit(question: str, quantity: Quantity) -> str | None:
    """Name what a number of a question counts: dollars, or the noun that follows; None where that is not plain.

    >>> question = "Ann buys 14 pens at $3 each."
    >>> [unit(question, quantity) for quantity in quantities(question)]
    ['pen', '$']
    """
    before, after = question[: quantity.start], question[quantity.end :]
    if quantity.is_percent or re.search(r"\b[Aa]n? \$?$", before):
        return None
    if before.endswith(MONEY):
        return MONEY if re.match(r"[ ,.?;]", after) else None
    match = _COUNTED.match(after)
    return stem(match[1]) if match else None


def stem(noun: str) -> str:
    """Give a noun without its plural."""
    return noun.lower().removesuffix("s")


def quantities(question: str) -> tuple[Quantity, ...]:
    """Read the numbers of a question, whatever is made of them."""
    return _quantities(question, number_words(question), Counter())


def number_words(text: str) -> set[Fraction]:
    """Give the values of the words that stand for a number, alone and together.

    >>> number_words("Twice a week") == {2, 7}
    True
    >>> sorted(map(float, number_words("two and a half times twenty-five")))
    [2.0, 2.5, 5.0, 20.0, 25.0]
    """
    found = {_WORDS[match[1].lower()] for match in _NUMBER_WORD.finditer(text)}
    for tens, units in _TENS_AND_UNITS.findall(text):
        found.add(_WORDS[tens.lower()] + _WORDS[units.lower()])
    for word, large in _LARGE.findall(text):
        found.add(_WORDS[word.lower()] * (100 if large.lower() == "hundred" else 1000))
    return found | {_WORDS[word.lower()] + Fraction(1, 2) for word in _AND_A_HALF.findall(text)}


def _quantities(question: str, words: set[Fraction], uses: Counter[Fraction]) -> tuple[Quantity, ...]:
    found = []
    for match in NUMBER.finditer(question):
        value = to_value(match.group())
        may_be_another = uses[value] > 1 and (value <= _SMALL or has_evidence(value, question))
        is_plain = not (may_be_another or value in words or is_part(question, match.start(), match.end()))
        frozen = _is_fixed_form(question, match, value) or value in words or may_be_another
        percent = re.match(r"\s*(%|percent)", question[match.end() :]) is not None
        found.append(Quantity(match.group(), match.start(), match.end(), value, percent, frozen, is_plain))
    return tuple(found)


def is_part(question: str, start: int, end: int) -> bool:
    """Whether a number is one of those of a fraction or a ratio, 3/8 or 5:8: no quantity by itself."""
    return _PART.search(question[max(0, start - 2) : end + 2]) is not None


def _is_fixed_form(question: str, match: re.Match[str], value: Fraction) -> bool:
    """Fractions, clock times, facts, ordinals, names with digits, years, and numbers below 2 stay as they are."""
    before, after = question[max(0, match.start() - 1) : match.start()], question[match.end() : match.end() + 30]
    is_year = value.denominator == 1 and int(value) in _YEARS and "," not in match.group() and before != "$"
    is_clock = before == ":" or re.match(r":\d|\s?[ap]\.?m\b", after, re.IGNORECASE) is not None
    is_glued = before in ("/", "x", "X") or re.match(r"/|\s\d+/\d|[A-Za-z]", after) is not None
    return value < 2 or is_year or is_clock or is_glued or any(rule.match(after) for rule in (_CONVERSION, _FACT))


def _conversions(question: str) -> set[Fraction]:
    """Give constants that a step may mean though the question, or an earlier step, has the same number."""
    found = {Fraction(value) for value in _CONVERSIONS if has_evidence(Fraction(value), question)}
    return found | ({Fraction(100)} if _PERCENT.search(question) else set())


def _sources(
    value: Fraction, quantities: Sequence[Quantity], earlier: Sequence[Fraction], *, of_hundred: bool
) -> tuple[Source, ...]:
    """Find where a number may come from; a percent is a number by itself only beside a hundred."""
    numbers = [
        Source(i)
        for i, quantity in enumerate(quantities)
        if quantity.value == value and (of_hundred or not quantity.is_percent)
    ]
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
        13: "thirteen",
        14: "fourteen",
        15: "fifteen",
        16: "sixteen",
        17: "seventeen",
        18: "eighteen",
        19: "nineteen",
        20: "twenty",
        30: "thirty",
        40: "forty",
        50: "fifty",
        60: "sixty",
        70: "seventy",
        80: "eighty",
        90: "ninety",
        100: "hundred",
    }.items()
    for word in words.split()
}
_NUMBER_WORD = re.compile(r"\b(" + "|".join(_WORDS) + r")\b", re.IGNORECASE)
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TENS_AND_UNITS = re.compile(rf"\b({_TENS})[- ]({_UNITS})\b", re.IGNORECASE)
_LARGE = re.compile(rf"\b({_UNITS}|ten|twelve|fifteen|{_TENS}) (hundred|thousand)\b", re.IGNORECASE)
_AND_A_HALF = re.compile(rf"\b({_UNITS}|ten|eleven|twelve)[- ]and[- ](?:a|one)[- ]half\b", re.IGNORECASE)

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
        "7": r"week|seven|daily|\bdays?\b",
        "8": r"eight",
        "9": r"nine|ninth",
        "10": r"\bten\b|tenth|dime|decade",
        "11": r"eleven",
        "12": r"dozen|month|year|twelve|feet|foot|inch|annual",
        "15": r"fifteen|quarter",
        "16": r"ounce|pound|sixteen",
        "20": r"twenty|score",
        "24": r"\bdays?\b|daily|hour|dozen",
        "28": r"feb|week",
        "30": r"month|thirty",
        "31": r"month",
        "50": r"fifty|half",
        "52": r"year|week",
        "60": r"hour|minute|second|sixty",
        "100": r"%|percent|cent|hundred|meter|dollar|\$",
        "365": r"year|\bdays?\b|daily",
        "1000": r"kilo|thousand|km|kg|liter|gram|meter|\bml\b",
        "3600": r"hour",
        "5280": r"mile",
    }.items()
}
"""Words that stand for a constant a solution may use without a number in the question."""
