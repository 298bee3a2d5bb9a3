"""What shows that a row is right, for every kind: from the row alone, and not by the code that made it.

Calculations are done again by `second.py`. A seed: every step gives what is written, the last one is the answer, and so does
what the prose says. A renumbered problem: also, every number of its steps is in its own question. Backwards: the equation
holds for X, for no other X, and the last lines arrive at the answer that the question gives. Composed: both solutions, each
for its own question, with the first answer as N. Programs: what they print is the answer, and so is what they calculate line
by line in rationals. Drills: the question is worked out again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from corpora.math import equation, gym, python, rows, second, tools
from corpora.math.annotations import (
    NUMBER,
    Chain,
    Unusable,
    path_key,
    read_chain,
    read_steps,
    to_value,
    without_annotations,
)
from corpora.math.backward import ASKED, CHECK
from corpora.math.compose import JOINTS, NAME, TURN
from corpora.math.drills.check import check as check_drill
from corpora.math.equation import UNKNOWN
from corpora.math.prose import is_true
from corpora.math.structure import analyse, has_evidence, quantities

if TYPE_CHECKING:
    from sandbox import Outcome

Evidence = tuple[str, str]
"""Class of evidence, and path."""


def check(row: rows.Row) -> Evidence:
    """Give the evidence for a row that needs no program run; `Unusable` when something does not agree."""
    checker = _CHECKS.get(row["kind"])
    if checker is None:
        raise Unusable("kind without a check")
    return checker(row)


def _seed(row: rows.Row) -> Evidence:
    chain = read_chain(row["solution"])
    _steps(chain)
    if to_value(row["answer"]) != chain.answer:
        raise Unusable("answer is not the solution's")
    return "re-executed", chain.path_key


def _renumber(row: rows.Row) -> Evidence:
    evidence = _seed(row)
    _numbers_are_given(row["question"], row["solution"])
    return evidence


def _steps(chain: Chain) -> None:
    """Calculate every step a second time, and read what the prose says."""
    for step in chain.steps:
        if second.value(step.expression.text) != step.result:
            raise Unusable("step does not give its result")
        repeated = NUMBER.match(chain.body, step.end)
        if repeated and to_value(repeated.group()) != step.result:
            raise Unusable("text is not the step's result")
    if not is_true(without_annotations(chain.body)):
        raise Unusable("text has a wrong calculation")


def _numbers_are_given(question: str, solution: str) -> None:
    constants = analyse(question, solution).constants()
    if not all(has_evidence(value, question) for value in constants):
        raise Unusable("number from nowhere")


def _backward(row: rows.Row) -> Evidence:
    chain, answer = read_steps(row["solution"]), to_value(row["answer"])
    _steps(chain)
    masked, given = _asked(row["question"])
    body, mark, last = chain.body.partition(CHECK)
    if not mark or chain.answer != answer:
        raise Unusable("answer is not the solution's")
    before = [step for step in chain.steps if step.start < len(body)]
    if not before or before[-1].result != answer or chain.steps[-1].result != given:
        raise Unusable("X does not give the answer")
    _equation(body, given, answer)
    values = {quantity.value for quantity in quantities(masked)} | {answer, given}
    _known(values, (operand for step in chain.steps for operand in step.expression.operands), chain, masked)
    if to_value(NUMBER.match(last.lstrip()).group()) != answer:  # type: ignore[union-attr]
        raise Unusable("X does not give the answer")
    return "X put back", path_key((step.expression, step.result) for step in before)


def _asked(question: str) -> tuple[str, Fraction]:
    """Cut a backward question into the seed's, with X in it, and the answer that is given."""
    for pattern in _asked_patterns():
        match = pattern.fullmatch(question)
        if match and len(re.findall(rf"(?<![A-Za-z]){UNKNOWN}(?![A-Za-z])", match[1])) == 1:
            return match[1], to_value(match[2])
    raise Unusable("question not read")


@cache
def _asked_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(rf"(.*) {re.escape(text).replace(re.escape('{answer}'), f'({NUMBER.pattern})')}", re.DOTALL)
        for text in ASKED
    )


def _equation(body: str, given: Fraction, answer: Fraction) -> None:
    """See that the first equation holds for the answer, and that no other number could be X."""
    for line in body.splitlines():
        left, sign, right = line.partition(" = ")
        if sign and UNKNOWN in left and re.fullmatch(r"[-+*/().\dX ]+", left):
            break
    else:
        raise Unusable("no equation")
    if to_value(right) != given or second.value(left, {UNKNOWN: answer}) != given:
        raise Unusable("equation does not hold")
    if not equation.is_injective(lambda value: second.value(left, {UNKNOWN: value}), answer):
        raise Unusable("more than one solution")


def _known(values: set[Fraction], operands: Iterable[Fraction], chain: Chain, question: str) -> None:
    """See that numbers are in the question, or percents of it, or results, or have a word there."""
    known = values | {value / 100 for value in values} | set(chain.results)
    if not all(value in known or has_evidence(value, question) for value in operands):
        raise Unusable("number from nowhere")


def _compose(row: rows.Row) -> Evidence:
    parts: list[str] = next((row["question"].split(joint) for joint in JOINTS if joint in row["question"]), [])
    turns = _TURN.split(row["solution"])
    if len(parts) != 2 or len(turns) != 3:
        raise Unusable("not two problems")
    before, after = read_chain(f"{turns[0]}#### {turns[1]}"), read_chain(turns[2])
    named = re.sub(rf"(?<![A-Za-z]){NAME}(?![A-Za-z])", turns[1], parts[1])
    if named == parts[1] or to_value(row["answer"]) != after.answer:
        raise Unusable("answer is not the solution's")
    for chain in (before, after):
        _steps(chain)
    _numbers_are_given(named, turns[2])
    return "both re-executed", path_key((s.expression, s.result) for chain in (before, after) for s in chain.steps)


def program_of(row: rows.Row) -> str:
    """Give the program of a row; one that has none gives a text that no check accepts."""
    if row["kind"] == rows.PROGRAM:
        return str(row["solution"])
    try:
        return tools.parts(row["solution"])[0]
    except Unusable:
        return ""


def _program(row: rows.Row, outcome: Outcome | None, tolerance: float) -> Evidence:
    """See that a program prints the answer, and that its lines give it."""
    _printed(row["answer"], outcome, tolerance)
    exact, key = python.execute(row["solution"])
    if exact != to_value(row["answer"]):
        raise Unusable("lines do not give the answer")
    return "program output", key


def _tools(row: rows.Row, outcome: Outcome | None, tolerance: float) -> Evidence:
    """See the same of a program among words: its output again, letter for letter, and its numbers in the question."""
    program, output, end = tools.parts(row["solution"])
    _printed(row["answer"], outcome, tolerance)
    if outcome is None or outcome.stdout.strip() != output:
        raise Unusable("output is not what was printed")
    exact, key = python.execute(program)
    said = {to_value(match.group()) for match in NUMBER.finditer(end)}
    if exact != to_value(row["answer"]) or said != {exact}:
        raise Unusable("answer is not the output")
    given = {quantity.value for quantity in quantities(row["question"])}
    if not {Fraction(text) for text in _GIVEN.findall(program)} <= given:
        raise Unusable("number from nowhere")
    return "program output", key


def _printed(answer: str, outcome: Outcome | None, tolerance: float) -> None:
    from sandbox import Status
    from sandbox.answers import equivalent

    if outcome is None or outcome.status is not Status.FINISHED:
        raise Unusable(f"program {outcome.status.value if outcome else 'not run'}")
    if not equivalent(answer, outcome.stdout.strip(), tolerance=Fraction(tolerance)).is_equal:
        raise Unusable("output is not the answer")


_GIVEN = re.compile(r"^q\d+ = ([\d.]+)", re.MULTILINE)
PROGRAMS: dict[str, Callable[[rows.Row, Outcome | None, float], Evidence]] = {
    rows.PROGRAM: _program,
    rows.TOOLS: _tools,
}
_TURN = re.compile(re.escape(TURN).replace(re.escape("{value}"), f"({NUMBER.pattern})"))
_CHECKS: dict[str, Callable[[rows.Row], Evidence]] = {
    rows.SEED: _seed,
    rows.RENUMBER: _renumber,
    rows.BACKWARD: _backward,
    rows.COMPOSE: _compose,
    rows.DRILL: check_drill,
    rows.GYM: gym.check,
}
