"""New problems from a seed by other numbers, carried through its worked solution.

Each variant changes numbers of the question, executes the steps again and rewrites question and solution. A variant counts
only when every number in it follows from the seed in one way, and nothing hints that the story would change with the
numbers (comparisons, rounding). Of GSM8K's training split 44% of the seeds can be used. About 300 variants a core second.
Each rule stands for an error seen in variants that were read. Of the last 60, two were wrong, in ways that rules now refuse;
so some 5% of the variants may still be wrong, or tell an odd story. Names and words stay: it is no paraphrase.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

from corpora import shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import ANNOTATION, ANSWER_MARK, NUMBER, OPERAND, Unusable, read_chain, render, to_value
from corpora.math.annotations import without_annotations as plain
from corpora.math.prose import is_true
from corpora.math.structure import Quantity, Structure, analyse, has_evidence, number_words, unit

_BRANCH = re.compile(
    r"[<>≥≤]|\bcompar|cheap|\bbest\b|\bwhich\b|\bwhoever\b|\bat least\b|\bat most\b|round(ed|s|ing)?\b|\bfirst \d|\bexceed|"
    r"\bif (he|she|it|they|the) .{0,40}(more|less|over) than|\bremainder|left over|leftover|\bmaximum|\bminimum|\blargest|"
    r"\bsmallest|\bwhole number|\bmost\b|\bevery \d+(st|nd|rd|th)|\bleast\b|old(est)?er than|\b(remaining|other) \d",
    re.IGNORECASE,
)
"""Words with which other numbers may ask for another calculation, or be bound to each other (the remaining 13 students)."""
_BOUND = re.compile(
    r"\blate\b|\bearly\b|\balready\b|\bremain|\brest\b|\bleft\b|\bof (?:which|whom|those|them)\b|\buntil\b|\bothers?\b",
    re.IGNORECASE,
)
"""Words with which one number of a sort may be what another leaves: of 30 minutes, she came 15 minutes late."""
_OF_ITS_OWN = re.compile(
    r"american flag|deck of cards|\bpoker\b|\balphabet|\bchess|piano keys|\bdi[ce]e?\b|\bzodiac|solar system|\bleap year|"
    r"\b(?:first|second|third|fourth|last) (?:place|rank)|\bmatchstick|\bschool year|"
    r"\bmonths? (?:is|has|have|equals?|with|of)(?: exactly)? \d+ (?:weeks|days)|"
    r"\b(?:tablespoons?|teaspoons?|cups?|pints?|quarts?|gallons?|foot|yard|mile|pound|kilogram) (?:is|are|has|equals?) \d|"
    r"\b(?:is|was) \d+ (?:feet|foot|inches|cm|centimeters)\b[^.]{0,14}\btall|\bfeet,? (?:and )?\d+ inches\b(?! per)|"
    r"\bconsecutive|\bprime number|\bletters?\b.{0,60}\bname|\bname.{0,60}\bletters?\b|\bscore[sd]? .{0,30}\bout of\b",
    re.IGNORECASE,
)
"""Things whose numbers are known: the American flag has 13 stripes."""
_SHOWN_ONCE = re.compile(
    r"\d \w+ \(\d+ (?:hours?|minutes?|days?|weeks?|feet|inches)\)|"
    r"\b(?:is|was) the (?:highest|tallest|longest|fastest|greatest|biggest|heaviest)",
    re.IGNORECASE,
)
"""What a solution sees without a step for it: that 60 minutes are 1 hour, or that 51 is the highest."""
_AGE = re.compile(r"\byears? old|\bages?\b|\bbirthday|\bgrand(?:mother|father|ma|pa)|\bolder|\byounger", re.IGNORECASE)
_OLDEST = 100
_GLUED = re.compile(r"(?<=[A-Za-z])(?<!\dx)(?<!\dX)\d+")
"""Digits that are no number to the rules, `was30`: they would stay as they are."""
_ARTICLE = re.compile(r"\b(an?) \$?(\d[\d,]*)", re.IGNORECASE)
_SPOKEN_WITH_VOWEL = re.compile(r"8|1[18](?:,\d{3})*(?!\d)")
_PERCENTS = (2, 4, 5, 8, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90)
_GROWTH = 100  # a result may grow by this factor at most, unless it stays below _SMALL_RESULT
_SMALL_RESULT = 1000


@dataclass(frozen=True, kw_only=True)
class RenumberConfig:
    """How many variants are made of a seed, and how hard is tried."""

    variants: int = 4
    """Draws of a seed, each kept once; 8 draws give 7.0 distinct variants on GSM8K."""
    tries: int = 200
    """Draws for one variant; the first half change every number that may change, the others fewer."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("variants", "tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"RenumberConfig.{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Variant:
    """A renumbered problem."""

    question: str
    solution: str
    answer: str


def augment_renumber(out: Path, *, problems: Path, config: RenumberConfig, engine: Engine) -> dict[str, object]:
    """Make variants of every seed; `rejected/` says which seeds gave none, and why."""
    paths = shards.shard_paths(problems / "kept")
    return rows.total(out, engine.map_shards(_renumber_shard, paths, out, config))


def _renumber_shard(path: Path, out: Path, config: RenumberConfig) -> sieve.Counts:
    return rows.augment(path, out, lambda seed: [_row(seed, variant) for variant in variants(seed, config)])


def _row(seed: rows.Row, variant: Variant) -> rows.Row:
    key = read_chain(variant.solution).path_key
    return rows.derived(rows.RENUMBER, seed, variant.question, variant.solution, variant.answer, path_key=key)


def variants(seed: rows.Row, config: RenumberConfig) -> list[Variant]:
    """Make the distinct variants of one seed; `Unusable` when there is none."""
    structure = analyse(seed["question"], seed["solution"])
    check_story(structure)
    changeable = changeable_quantities(structure)
    found: dict[str, Variant] = {}
    failure: Unusable | None = None
    for number in range(config.variants):
        try:
            variant = _draw(structure, changeable, rows.rng(config.seed, seed["id"], number), config.tries)
            found.setdefault(variant.question, variant)
        except Unusable as reason:
            failure = reason
    if failure is not None and not found:
        raise failure
    return list(found.values())


def check_story(structure: Structure) -> None:
    """Refuse a problem that other numbers might turn into another one, and one with numbers from or to nowhere.

    A number that no step uses may still be bound to the others: "25 students, 10 of them ... and 15 ...".
    """
    question = structure.question
    if not all(has_evidence(value, question) for value in structure.constants()):
        raise Unusable("constant not in question")
    used = structure.used()
    if any(quantity.value >= 2 for index, quantity in enumerate(structure.quantities) if index not in used):
        raise Unusable("number not used")
    has_floor = any("//" in step.expression.text for step in structure.chain.steps)
    if has_floor or _BRANCH.search(question) or _BRANCH.search(plain(structure.chain.body)):
        raise Unusable("comparison or rounding")
    if _SHOWN_ONCE.search(plain(structure.chain.body)):
        raise Unusable("comparison or rounding")
    if _OF_ITS_OWN.search(question):
        raise Unusable("numbers of a known thing")


def changeable_quantities(structure: Structure) -> list[int]:
    """Name the quantities that may change: used, not frozen, equal to no other number of the problem."""
    values = [quantity.value for quantity in structure.quantities]
    used, results, bound = structure.used(), structure.chain.results, _bound(structure)
    found = [
        index
        for index, quantity in enumerate(structure.quantities)
        if not quantity.is_frozen
        and index in used
        and values.count(quantity.value) == 1
        and quantity.value not in results
        and index not in bound
    ]
    if not found:
        raise Unusable("nothing changeable")
    return found


def _bound(structure: Structure) -> set[int]:
    """Name the quantities that may be the sum, or the difference, of others of their sort, in a story that says so."""
    if not _BOUND.search(structure.question):
        return set()
    sorts: dict[str, list[tuple[int, Fraction]]] = defaultdict(list)
    for index, quantity in enumerate(structure.quantities):
        sort = unit(structure.question, quantity)
        if sort is not None:
            sorts[sort].append((index, quantity.value))
    found: set[int] = set()
    for members in sorts.values():
        for whole, part, rest in product(members, repeat=3):
            if whole[1] == part[1] + rest[1]:
                found |= {whole[0], part[0], rest[0]}
    return found


def _draw(structure: Structure, changeable: Sequence[int], rng: random.Random, tries: int) -> Variant:
    """Draw new numbers until all rules hold; the first reason counts when they never do."""
    failure = Unusable("no other number drawn")
    for attempt in range(tries):
        size = len(changeable) if attempt < max(1, tries // 2) else rng.randint(1, len(changeable))
        changed = {index: draw(structure.quantities[index], rng) for index in rng.sample(changeable, size)}
        if all(structure.quantities[index].value == value for index, value in changed.items()):
            continue
        try:
            return renumber(structure, changed)
        except Unusable as reason:
            failure = reason
    raise failure


def draw(quantity: Quantity, rng: random.Random) -> Fraction:
    """Draw a number of the same sort and size: whole, round or with the same decimals, half to double."""
    value = quantity.value
    if quantity.is_percent and value <= 100:
        return Fraction(rng.choice(_percents(value) or [int(value)]))
    if quantity.is_percent:
        return value + 10 * rng.randint(1, 5)
    if value.denominator != 1:
        scale = 10 ** len(quantity.text.partition(".")[2])
        size = int(value * scale)
        return Fraction(rng.randint(max(1, size // 2), 2 * size), scale)
    unit = _unit(int(value))
    low = max(1 if unit > 1 else 2, int(value) // 2 // unit)
    return Fraction(unit * rng.randint(low, max(low + 2, 2 * int(value) // unit)))


def _percents(value: Fraction) -> list[int]:
    """Give the percents that may stand for one: half to double, on its side of 50."""
    return [p for p in _PERCENTS if p != value and value <= 2 * p <= 4 * value and (p <= 50) == (value <= 50)]


def _unit(value: int) -> int:
    """Give the unit that a number is round to, for drawing: 10 for 120, 5 for 45, two leading digits from 1,000 on."""
    if value >= 1000:
        return int(10 ** (len(str(value)) - 2))
    return next((unit for unit in (10, 5) if value >= 40 and value % unit == 0), 1)


def renumber(structure: Structure, changed: Mapping[int, Fraction]) -> Variant:
    """Write the problem with other quantities; `Unusable` when a rule forbids it."""
    results = structure.propagate(changed)
    _check_results(structure.chain.results, results)
    _check_order(structure.quantities, changed)
    if _AGE.search(structure.question) and max(results) > _OLDEST >= max(structure.chain.results):
        raise Unusable("too old")
    spelling = _Spelling.of(structure, changed, results)
    prose = plain(structure.chain.body)
    if any(map(spelling.is_changed, number_words(prose) | {to_value(digits) for digits in _GLUED.findall(prose)})):
        raise Unusable("number written otherwise")
    texts = {index: render(value, structure.quantities[index].text) for index, value in changed.items()}
    question, body = rewrite_question(structure, texts), "".join(_rewrite_body(structure, results, spelling))
    for text in (question, plain(body)):
        _check_articles(text)
    if not is_true(plain(body)):
        raise Unusable("text has a wrong calculation")
    answer = render(results[-1])
    return Variant(question, f"{body}{ANSWER_MARK} {answer}", answer)


def _check_results(old: Sequence[Fraction], new: Sequence[Fraction]) -> None:
    """Results stay whole where they were, keep their sign, stay 2 or more, and stay of a size."""
    for before, after in zip(old, new, strict=True):
        if before.denominator == 1 and after.denominator != 1:
            raise Unusable("not integer")
        if (before > 0) != (after > 0) or (before < 0) != (after < 0):
            raise Unusable("sign")
        if before >= 2 > after:
            raise Unusable("too small")
        if after > _SMALL_RESULT and after > _GROWTH * abs(before):
            raise Unusable("blown up")
    if old[-1] == new[-1]:
        raise Unusable("same answer")


def _check_order(quantities: Sequence[Quantity], changed: Mapping[int, Fraction]) -> None:
    """The larger of two numbers of a question stays the larger."""
    free = [(i, quantity) for i, quantity in enumerate(quantities) if not quantity.is_frozen]
    for position, (i, first) in enumerate(free):
        for j, second in free[position + 1 :]:
            after = changed.get(i, first.value), changed.get(j, second.value)
            if first.is_percent == second.is_percent and _sign(first.value - second.value) != _sign(
                after[0] - after[1]
            ):
                raise Unusable("order")


def _check_articles(text: str) -> None:
    """`An 8-hour day` does not become `an 16-hour day`."""
    for article, number in _ARTICLE.findall(text):
        if (article.lower() == "an") != bool(_SPOKEN_WITH_VOWEL.match(number)):
            raise Unusable("article")


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


@dataclass(frozen=True)
class _Spelling:
    """What each number of the solution becomes."""

    question: str
    new_values: Mapping[Fraction, frozenset[Fraction]]

    @classmethod
    def of(cls, structure: Structure, changed: Mapping[int, Fraction], results: Sequence[Fraction]) -> _Spelling:
        values: dict[Fraction, set[Fraction]] = defaultdict(set)
        for index, quantity in enumerate(structure.quantities):
            new = changed.get(index, quantity.value)
            values[quantity.value].add(new)
            if quantity.is_percent:
                values[quantity.value / 100].add(new / 100)
        for before, after in zip(structure.chain.results, results, strict=True):
            values[before].add(after)
        for constant in structure.constants():
            values[constant].add(constant)
        return cls(structure.question, {value: frozenset(new) for value, new in values.items()})

    def is_changed(self, value: Fraction) -> bool:
        """Whether a value of the seed becomes another one somewhere."""
        return not self.new_values.get(value, frozenset()) <= {value}

    def rewrite(self, text: str) -> str:
        """Rewrite one number."""
        value = to_value(text)
        new = self.new_values.get(value)
        if new is None:
            if value <= 12 and has_evidence(value, self.question):
                return text
            raise Unusable("number in text from nowhere")
        if len(new) > 1:
            raise Unusable("text ambiguous")
        (after,) = new
        return text if after == value else render(after, text)


def _rewrite_body(structure: Structure, results: Sequence[Fraction], spelling: _Spelling) -> Iterator[str]:
    """Yield the solution piece by piece: prose, annotation, the result repeated after it."""
    body, position = structure.chain.body, 0
    for step, result in zip(structure.chain.steps, results, strict=True):
        yield _rewrite(NUMBER, body[position : step.start], spelling)
        yield f"<<{_rewrite(OPERAND, step.expression.text, spelling)}={render(result)}>>"
        position = step.end
        repeated = NUMBER.match(body, position)
        if repeated and to_value(repeated.group()) == step.result:
            yield render(result, repeated.group())
            position = repeated.end()
    yield _rewrite(NUMBER, body[position:], spelling)


def _rewrite(pattern: re.Pattern[str], text: str, spelling: _Spelling) -> str:
    if ANNOTATION.search(text):
        raise Unusable("annotation inside a step")
    return pattern.sub(lambda match: spelling.rewrite(match.group().rstrip(".")), text)


def rewrite_question(structure: Structure, texts: Mapping[int, str]) -> str:
    """Write the question with other texts in place of some of its numbers."""
    pieces, position = [], 0
    for index, quantity in enumerate(structure.quantities):
        pieces.append(structure.question[position : quantity.start])
        pieces.append(texts.get(index, quantity.text))
        position = quantity.end
    return "".join(pieces) + structure.question[position:]
