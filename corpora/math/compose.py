"""Two seeds in a row: the answer of the first is a number of the second (its N), and only the last answer is asked for.

The second seed is renumbered by that one number under all rules of `renumber.py`, so its steps are executed again with what
the first one gives. N is put where it is of one sort with the answer: dollars for dollars, eggs for eggs, and of a size. Both
seeds come from one shard, so what a shard gives depends on it alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from corpora import shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable, read_chain, render, without_annotations
from corpora.math.prose import is_true
from corpora.math.renumber import changeable_quantities, check_story, renumber, rewrite_question
from corpora.math.structure import MONEY, Structure, analyse, stem, unit

NAME = "N"
JOINTS = (
    "Call the answer N. Now a second question: ",
    "Let N be that number. ",
    "Use that answer as N in the next question. ",
    "The answer is a number N. With this N, answer the following: ",
)
"""Between the two questions."""
TURN = "So N is {value}.\n"
"""Between the two solutions."""
_ASKED = re.compile(
    r"\bhow many (?:(?:more|fewer|less|total|additional|extra|other|new|different|of the|of his|of her) )*([a-z]+)",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(r"\bhow much\b", re.IGNORECASE)
_PROPER = re.compile(r"(?:(?<=[a-z,] )|(?<=(?:Mr|Ms|Dr)\. )|(?<=Mrs\. ))[A-Z][a-z]+|\b[A-Z][a-z]+(?='s\b)")
_HALF, _TWICE = Fraction(1, 2), 2


@dataclass(frozen=True, kw_only=True)
class ComposeConfig:
    """How many pairs are made."""

    variants: int = 8
    """Rows of a second seed at most, each with another first one."""
    uses: int = 8
    """Rows that one seed may be the first of at most."""
    tries: int = 40
    """First seeds tried for one number of a second one."""
    max_characters: int = 1600
    """Of both solutions; longer chains do not fit the training length with their question."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("variants", "uses", "tries", "max_characters"):
            if getattr(self, name) < 1:
                raise ValueError(f"ComposeConfig.{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class First:
    """A seed that may come first: its answer, what it counts, and the names in it."""

    row: rows.Row
    value: Fraction
    body: str
    names: frozenset[str]


def augment_compose(out: Path, *, problems: Path, config: ComposeConfig, engine: Engine) -> dict[str, object]:
    """Compose pairs of seeds; `rejected/` says which seeds are second in none, and why."""
    paths = shards.shard_paths(problems / "kept")
    return rows.total(out, engine.map_shards(_compose_shard, paths, out, config))


def _compose_shard(path: Path, out: Path, config: ComposeConfig) -> sieve.Counts:
    pairs = Pairs(rows.read(path), config)
    return rows.augment(path, out, pairs.compose)


class Pairs:
    """The seeds of a shard by what they count, to be put before others."""

    def __init__(self, seeds: Sequence[rows.Row], config: ComposeConfig) -> None:
        self._config = config
        self._firsts: dict[str, list[First]] = defaultdict(list)
        self._used: dict[str, int] = defaultdict(int)
        for row in sorted(seeds, key=lambda row: rows.digest(config.seed, row["id"])):
            found = first(row)
            if found is not None:
                self._firsts[found[0]].append(found[1])

    def compose(self, second: rows.Row) -> list[rows.Row]:
        """Make the rows in which a seed comes second; `Unusable` when there is none."""
        structure = analyse(second["question"], second["solution"])
        check_story(structure)
        if re.search(rf"\b{NAME}\b", structure.question):
            raise Unusable("letter in question")
        made: list[rows.Row] = []
        for index in changeable_quantities(structure):
            made += self._rows_at(second, structure, index, self._config.variants - len(made))
        if not made:
            raise Unusable("no first problem")
        return made

    def _rows_at(self, second: rows.Row, structure: Structure, index: int, room: int) -> list[rows.Row]:
        quantity = structure.quantities[index]
        sort = unit(structure.question, quantity)
        made: list[rows.Row] = []
        for candidate in self._candidates(second, sort, quantity.value) if sort else ():
            if len(made) >= room:
                break
            try:
                made.append(_compose(candidate, second, structure, index, self._config))
            except Unusable:
                continue
            self._used[candidate.row["id"]] += 1
        return made

    def _candidates(self, second: rows.Row, sort: str, value: Fraction) -> Iterator[First]:
        """Yield first seeds in an order of this seed's own."""
        names = proper_names(second["question"])
        fitting = [
            found
            for found in self._firsts[sort]
            if found.row["id"] != second["id"]
            and value * _HALF <= found.value <= value * _TWICE
            and found.value != value
            and not names & found.names
            and self._used[found.row["id"]] < self._config.uses
        ]
        rng = rows.rng(self._config.seed, rows.COMPOSE, second["id"], sort, value)
        yield from rng.sample(fitting, min(self._config.tries, len(fitting)))


def first(row: rows.Row) -> tuple[str, First] | None:
    """Read a seed as a first one, with what its answer counts; None where that is not plain."""
    try:
        chain = read_chain(row["solution"])
    except Unusable:
        return None
    question = row["question"]
    if not is_true(without_annotations(chain.body)):
        return None
    sort = _asked(question, is_money=chain.body[: chain.steps[-1].start].endswith(MONEY))
    if sort is None or chain.answer < 2 or re.search(rf"\b{NAME}\b", question) or not question.endswith("?"):
        return None
    return sort, First(row, chain.answer, chain.body, proper_names(question))


def _asked(question: str, *, is_money: bool) -> str | None:
    """Give what a question asks for: money, or a noun."""
    last = re.split(r"(?<=[.?!]) ", question)[-1]
    counts = _ASKED.findall(last)
    if len(counts) == 1 and not _HOW_MUCH.search(last):
        noun = stem(counts[0])
        return MONEY if noun == "dollar" else noun
    return MONEY if is_money and not counts and _HOW_MUCH.search(last) else None


def proper_names(question: str) -> frozenset[str]:
    """Give the names in a question: two stories of one Ann read as one."""
    return frozenset(_PROPER.findall(question)) | frozenset(re.findall(r"^[A-Z][a-z]+", question))


def _compose(before: First, second: rows.Row, structure: Structure, index: int, config: ComposeConfig) -> rows.Row:
    variant = renumber(structure, {index: before.value})
    joint = rows.rng(config.seed, before.row["id"], second["id"], index).choice(JOINTS)
    question = f"{before.row['question']} {joint}{rewrite_question(structure, {index: NAME})}"
    solution = f"{before.body.rstrip()}\n{TURN.format(value=render(before.value))}{variant.solution}"
    if len(solution) > config.max_characters:
        raise Unusable("too long")
    key = read_chain(solution).path_key
    made = rows.derived(rows.COMPOSE, second, question, solution, variant.answer, path_key=key)
    licenses = sorted({before.row["license"], second["license"]})
    return {**made, "source": f"{before.row['source']} {second['source']}", "license": " AND ".join(licenses)}
