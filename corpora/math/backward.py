"""A seed asked backwards: one of its numbers is X, the answer is given, and X is asked for (FOBAR, Jiang et al. 2023).

The solution is ours: what does not depend on X is calculated as in the seed, what does is written with X, and the equation
that results is undone step by step; the last lines put X back and arrive at the answer that was given. It exists where X
lies on one path through the seed's steps, and it is the only solution: the answer is (pX + q) / (rX + s) of X, fitted to
exact points, with ps != qr. Of GSM8K's training split about 44% of the seeds can be asked so.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from corpora import shards, sieve
from corpora.engine import Engine
from corpora.math import equation, rows
from corpora.math.annotations import (
    ANNOTATION,
    ANSWER_MARK,
    NUMBER,
    Unusable,
    path_key,
    read_steps,
    render,
    to_value,
    without_annotations,
)
from corpora.math.equation import UNKNOWN, Line, Operation, Undone
from corpora.math.lines import Lines
from corpora.math.prose import is_true
from corpora.math.renumber import changeable_quantities
from corpora.math.structure import Structure, analyse, has_evidence, number_words

ASKED = (
    "The answer to this question is {answer}. What number does X stand for?",
    "If the answer to the question above is {answer}, what is the value of X?",
    "We are told that the answer is {answer}. Find X.",
    "The answer is known to be {answer}. What is X?",
)
"""How X is asked for, after the seed's question."""
CHECK = "Check: with X = "
"""Begins the part of a solution that puts X back."""
_EQUATION = (
    "So the answer is {left}, and we know that it is {answer}:",
    "This gives the equation for X, since the answer is {answer}:",
    "Written with X, the answer is {left}. It is known to be {answer}, so we solve:",
)
_BARE_EQUATION = (
    "Written with X, the answer to the question is {left}, and we know that it is {answer}:",
    "The steps of the story, with X left as it is, give {left}. We know that this is {answer}:",
)
_UNDO = {
    ("+", False): ("Subtract {number} from both sides", "Take {number} away from both sides"),
    ("-", False): ("Add {number} to both sides",),
    ("*", False): ("Divide both sides by {number}",),
    ("/", False): ("Multiply both sides by {number}",),
    ("-", True): ("What is taken from {number} must be the difference",),
    ("/", True): ("What {number} is divided by must be {number} over the quotient",),
}
_UNDO |= {("+", True): _UNDO["+", False], ("*", True): _UNDO["*", False]}


_MANY_TO_ONE = re.compile(
    r"\bround|\bnearest|\bclosest|\bwhole number|cheap|\bwhichever|\bwhole\b.{0,20}\bonly|\bminimum number|\bmaximum number"
    r"|\bdifference\b|\b(?:lower|lowest|better|best) (?:price|deal|value|option|offer)",
    re.IGNORECASE,
)
"""Words with which several numbers may have one answer."""
_ARTICLE = re.compile(r"\b[Aa]n? [$€£]?$")
_BEGINS_AFTER = re.compile(r"^(?:Then|Next|Now),? ([a-z])")
_LETTER = re.compile(r"\blet [a-z] (?:be|=|equal|represent)", re.IGNORECASE)
_CONTAINER = (
    r"(?:loads|box(?:es)?|bags?|pack(?:age|et)?s?|cans?|containers?|crates?|cartons?|bottles?|jars?|trips|batches|rolls|tanks|"
    r"buckets|cases?|bundles|quarts?|gallons?|buses|vans|trucks|tables|tubs|sheets|candles|rows|pages)\b"
)
_FILLED = re.compile(
    rf"\bhow many (?:\w+ ){{0,3}}{_CONTAINER}|"
    rf"\b(?:come|sold|sells?|buy|bought)\b[^.?]{{0,30}}\b(?:in|by the)\b[^.?]{{0,12}}{_CONTAINER}",
    re.IGNORECASE,
)
"""Asks for things that are filled, or bought whole: with a division, several numbers fill as many of them."""
_SMALL = 12
"""A number up to this may be in the steps by chance, where others of the question are not."""
_GOES_ON = re.compile(r"(?:Then|And|Next|Now)\b")
"""Begins a sentence that needs the one before it."""
_THINGS = re.compile(
    r"\bhow many [^.?]{0,80}\b(?:needs?|needed|require[ds]?|can|could|must|able|should|ha(?:s|ve) to)\b", re.IGNORECASE
)
"""Asks for whole things, and what is left of the last one does not show: 7.5 hours need 8 tanks, as 8 hours do."""


@dataclass(frozen=True, kw_only=True)
class BackwardConfig:
    """How many numbers of a seed are asked for."""

    variants: int = 8
    """Rows of a seed at most, each with another number as X."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.variants < 1:
            raise ValueError(f"BackwardConfig.variants must be at least 1, got {self.variants}")


def augment_backward(out: Path, *, problems: Path, config: BackwardConfig, engine: Engine) -> dict[str, object]:
    """Ask every seed backwards; `rejected/` says which cannot be, and why."""
    paths = shards.shard_paths(problems / "kept")
    return rows.total(out, engine.map_shards(_backward_shard, paths, out, config))


def _backward_shard(path: Path, out: Path, config: BackwardConfig) -> sieve.Counts:
    return rows.augment(path, out, lambda seed: backward_rows(seed, config))


def backward_rows(seed: rows.Row, config: BackwardConfig) -> list[rows.Row]:
    """Make the rows of one seed; `Unusable` when no number can be asked for."""
    structure = analyse(seed["question"], seed["solution"])
    check(structure)
    rng = rows.rng(config.seed, rows.BACKWARD, seed["id"])
    slots = changeable_quantities(structure)
    rng.shuffle(slots)
    made: list[rows.Row] = []
    failure = Unusable("nothing to ask for")
    for index in slots:
        try:
            made.append(_row(seed, structure, index, rng))
        except Unusable as reason:
            failure = reason
        if len(made) == config.variants:
            break
    if not made:
        raise failure
    return made


def check(structure: Structure) -> None:
    """Refuse a problem whose numbers do not all come from its question, or that has an X of its own."""
    if not all(has_evidence(value, structure.question) for value in structure.constants()):
        raise Unusable("constant not in question")
    if re.search(rf"\b{UNKNOWN}\b", structure.question, re.IGNORECASE):
        raise Unusable("letter in question")
    if _LETTER.search(structure.chain.body):
        raise Unusable("letter in solution")
    divides = "/" in structure.chain.body
    if _MANY_TO_ONE.search(structure.question):
        raise Unusable("comparison or rounding")
    if divides and _FILLED.search(structure.question):
        raise Unusable("whole things")
    if not is_true(without_annotations(structure.chain.body)):
        raise Unusable("text has a wrong calculation")


def _row(seed: rows.Row, structure: Structure, index: int, rng: random.Random) -> rows.Row:
    quantity = structure.quantities[index]
    if _ARTICLE.search(structure.question, 0, quantity.start):
        raise Unusable("article")
    if quantity.value <= _SMALL and len(structure.used()) < len(structure.quantities):
        raise Unusable("number not used")
    path = _Path.find(structure, index)
    if not equation.is_injective(lambda value: structure.propagate({index: value})[-1], quantity.value):
        raise Unusable("more than one solution")
    asked = rng.choice(ASKED).format(answer=render(structure.chain.answer))
    question = f"{structure.question[: quantity.start]}{UNKNOWN}{structure.question[quantity.end :]} {asked}"
    answer = render(quantity.value)
    solution = "\n".join([*_solution(structure, path, quantity.value, rng), f"{ANSWER_MARK} {answer}"])
    chain = read_steps(solution)
    key = path_key((s.expression, s.result) for s in chain.steps if s.start < chain.body.index(CHECK))
    return rows.derived(rows.BACKWARD, seed, question, solution, answer, path_key=key)


@dataclass(frozen=True)
class _Path:
    """The steps that X goes through, first to last, each with the operand that depends on X; and the steps they need."""

    steps: tuple[tuple[int, int], ...]
    scale: Fraction
    needed: tuple[int, ...]

    @classmethod
    def find(cls, structure: Structure, index: int) -> _Path:
        """Go back from the last step; `Unusable` where X comes in more than once, or a number may be two things."""
        dependent = _dependent(structure, index)
        steps: list[tuple[int, int]] = []
        needed: set[int] = set()
        step = len(structure.chain.steps) - 1
        while True:
            position = _only(dependent[step])
            steps.append((step, position))
            for other, sources in enumerate(structure.sources[step]):
                if other != position:
                    needed |= _ancestors(structure, [s.index for s in sources if s.is_result])
            sources = structure.sources[step][position]
            if len(sources) != 1:
                raise Unusable("ambiguous reference")
            if not sources[0].is_result:
                return cls(tuple(reversed(steps)), sources[0].scale, tuple(sorted(needed)))
            step = sources[0].index


def _dependent(structure: Structure, index: int) -> list[list[int]]:
    """Give, of every step, the operands that depend on a quantity."""
    found: list[list[int]] = []
    for operands in structure.sources:
        found.append([])
        for position, sources in enumerate(operands):
            depends = {bool(found[s.index]) if s.is_result else s.index == index for s in sources}
            if depends == {True, False}:
                raise Unusable("ambiguous reference")
            if depends == {True}:
                found[-1].append(position)
    return found


def _only(positions: Sequence[int]) -> int:
    if not positions:
        raise Unusable("answer does not depend on it")
    if len(positions) > 1:
        raise Unusable("unknown twice")
    return positions[0]


def _ancestors(structure: Structure, steps: Sequence[int]) -> set[int]:
    """Give steps with all that they need."""
    found: set[int] = set()
    waiting = list(steps)
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            waiting += [s.index for sources in structure.sources[step] for s in sources if s.is_result]
    return found


def _solution(structure: Structure, path: _Path, value: Fraction, rng: random.Random) -> Iterator[str]:
    """Yield the lines of a solution."""
    story = _Story(structure, path, value)
    known = list(story.known())
    if known:
        yield _BEGINS_AFTER.sub(lambda match: match[1].upper(), known[0])
    yield from known[1:]
    line, sentences, given = story.followed()
    if _THINGS.search(structure.question) and any(operation.sign == "/" for operation in line):
        raise Unusable("whole things")
    yield from given
    yield from sentences
    answer = structure.chain.answer
    left = equation.write(line)
    yield rng.choice(_EQUATION if sentences else _BARE_EQUATION).format(left=left, answer=render(answer))
    yield f"{left} = {render(answer)}"
    solved = list(equation.solve(line, answer))
    for undone in solved:
        yield _spell(undone, rng)
    if not solved or solved[-1].value != value:
        raise Unusable("not solved")
    yield _check_line(line, value)


def _spell(undone: Undone, rng: random.Random) -> str:
    words = rng.choice(_UNDO[undone.operation.sign, undone.operation.is_right])
    calculation, value = undone.calculation, render(undone.value)
    annotated = f"{calculation} = <<{calculation.replace(' ', '')}={value}>>{value}"
    return f"{words.format(number=render(undone.operation.number))}: {equation.write(undone.left)} = {annotated}"


def _check_line(line: Line, value: Fraction) -> str:
    pieces, current = [], value
    for operation in line:
        text = equation.write((operation,), render(current))
        current = operation.apply(current)
        pieces.append(f"{text} = <<{text.replace(' ', '')}={render(current)}>>{render(current)}")
    done = ", then ".join(pieces)
    return f"{CHECK}{render(value)} we get {done}, which is the answer we were given."


class _Story:
    """The seed's own sentences, where they can be said before X is known."""

    def __init__(self, structure: Structure, path: _Path, value: Fraction) -> None:
        self._structure, self._path = structure, path
        results = structure.chain.results
        unknown = {value * path.scale, value, *(results[step] for step, _ in path.steps)}
        self._hidden = unknown
        self._lines = Lines(structure)

    def known(self) -> Iterator[str]:
        """Yield what does not depend on X, in the seed's words where its line says nothing of X."""
        spoken: set[int] = set()
        for step in self._path.needed:
            text, steps = self._lines.line(step)
            if set(steps) <= set(self._path.needed) and not self._tells(text):
                if step not in spoken:
                    yield text
                spoken |= set(steps)
            elif step not in spoken:
                calculation = self._structure.chain.steps[step]
                spelled = _spaced(calculation.expression.text)
                result = render(calculation.result)
                yield f"{spelled} = <<{calculation.expression.text}={result}>>{result}."

    def followed(self) -> tuple[Line, list[str], list[str]]:
        """Give the operations on X, sentences that say what they give, and what must be calculated before."""
        line: list[Operation] = [] if self._path.scale == 1 else [Operation("/", 1 / self._path.scale)]
        sentences: list[str] = []
        given: list[str] = []
        is_whole = True
        for step, position in self._path.steps:
            chain_step = self._structure.chain.steps[step]
            before, added = equation.operations(chain_step.expression, position)
            given += [f"{text} = <<{text.replace(' ', '')}={render(v)}>>{render(v)}." for text, v in before]
            line += [operation for operation in added if operation.number != 1 or operation.sign in "+-"]
            frame = self._lines.frame(step)
            if frame is None or self._tells(" ".join(frame)) or (not is_whole and _GOES_ON.match(frame[0])):
                is_whole = False
            else:
                lead, tail = frame
                sentences.append(f"{lead.rstrip('$') if added else lead}{equation.write(line)}{tail}")
        return tuple(line), sentences, given

    def _tells(self, text: str) -> bool:
        """Whether a text names a number that is not known yet."""
        plain = ANNOTATION.sub("", text)
        numbers = {to_value(match.group()) for match in NUMBER.finditer(plain)} | number_words(plain)
        return bool(numbers & self._hidden)


def _spaced(text: str) -> str:
    return re.sub(r" *([-+*/]) *", r" \1 ", text).strip()
