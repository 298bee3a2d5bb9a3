r"""Compare an answer with the right one: clean, read, compare, and only then ask the referee.

Every step is bounded before it starts: text by length, trees by depth and tokens, numbers by bits, points by visits. What is
past a bound is undecided, never an error and never a guess.
"""

from __future__ import annotations

from fractions import Fraction

from sandbox.answers.compare import compare
from sandbox.answers.hints import Hints, hints
from sandbox.answers.outcome import EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.reading import read
from sandbox.answers.referee import REFEREE
from sandbox.answers.regions import position_of
from sandbox.answers.spelling import clean, squeeze
from sandbox.answers.tree import MAX_LENGTH, Node
from sandbox.answers.values import exact_or_none
from sandbox.answers.verdict import Equality, Verdict


def equivalent(
    gold: str,
    predicted: str,
    *,
    tolerance: float | Fraction | None = None,
    question: str | None = None,
    second_opinion: bool = True,
) -> Verdict:
    r"""Compare two answers.

    `tolerance` is the absolute difference of numbers that still counts as equal. `question` settles what an answer may leave
    out: whether 25 means 25%, to which place to round, the base of digits. `second_opinion=False` keeps out the referee, a
    process of its own that has sympy and, when installed, Math-Verify.

    >>> equivalent("1/2", r"\frac{2}{4}").equality, equivalent("5 cm", "5 m").equality, equivalent("x+1", "1+x").equality
    (<Equality.EQUAL: 'equal'>, <Equality.DIFFERENT: 'different'>, <Equality.EQUAL: 'equal'>)
    """
    if tolerance is not None and not 0 <= tolerance < float("inf"):
        raise ValueError(f"tolerance must be a finite number of at least 0, got {tolerance}")
    if max(len(gold), len(predicted)) > MAX_LENGTH:
        return Verdict(Equality.UNDECIDED, f"longer than {MAX_LENGTH} characters")
    left, right = clean(gold), clean(predicted)
    if not left or not right:
        return Verdict(Equality.UNDECIDED if not left else Equality.DIFFERENT, "empty")
    one, other = read(left), read(right)
    if squeeze(left) == squeeze(right):
        return Verdict(Equality.EQUAL, "same text", one, other)
    outcome = _judge(
        (left, right), (one, other), Fraction(tolerance or 0), hints(question), second_opinion=second_opinion
    )
    return Verdict(outcome.equality, outcome.rule, one, other)


def _judge(
    texts: tuple[str, str],
    forms: tuple[Node | None, Node | None],
    tolerance: Fraction,
    asked: Hints,
    *,
    second_opinion: bool,
) -> Outcome:
    referee = REFEREE.compare if second_opinion else None
    one, other = forms
    if one is None or other is None:
        outcome = UNDECIDED("not read")
    else:
        settings = Settings(
            tolerance=tolerance, asks_percent=asked.asks_percent, base=asked.base, referee=referee, rule=compare
        )
        outcome = compare(one, other, settings)
        if outcome.rule == "identity" and outcome.is_equal and all(text.isalpha() and len(text) > 2 for text in texts):
            return UNDECIDED("letters in another order")  # abc and cab: products, or words
        if not outcome.is_equal and asked.step is not None:
            outcome = _rounded(one, other, asked.step) or outcome
    if outcome.equality is Equality.UNDECIDED and second_opinion:
        return REFEREE.second(texts, forms) or outcome
    return outcome


def _rounded(gold: Node, predicted: Node, step: Fraction) -> Outcome | None:
    """Whether a prediction rounds to the gold answer, which itself is rounded as the question asks."""
    wanted = exact_or_none(_plain(gold))
    if wanted is None or wanted % step:
        return None
    found = position_of(_plain(predicted))
    if not isinstance(found, Fraction) or abs(found - wanted) > step / 2 or found == wanted:
        return None
    return EQUAL("rounded as asked")


def _plain(node: Node) -> Node:
    """A value without unit or percent sign."""
    return node.parts[0] if node.kind in ("quantity", "percent") else node
