"""The labelled table: how often the grader agrees with it, in the part it was tuned on and in the part it never saw."""

from collections import Counter

import pytest

from sandbox.answers import Equality, equivalent, extract
from tests.sandbox.answers.pairs import read_extractions, read_pairs

AGREEMENT = {"dev": 0.996, "heldout": 0.99}
"""Share of the scored pairs; what was reached stands in docs/answers.md."""
FALSE_ACCEPTS = {"dev": 0, "heldout": 1}
"""The one of dev is `3.25 dollars` against `3.250 dollars`, labelled different: a wrong label."""
EXTRACTED = {"dev": 0.99, "heldout": 0.92}
# The held-out part was read once, after the last change to the grader. Do not tune on it: what fails there stays as it is.
STYLES = {"boxed": "math", "answer_is": "named", "minerva": "minerva", "chinese": "cmath"}


def graded(part):
    for pair in read_pairs(part):
        verdict = equivalent(
            pair.gold, pair.predicted, tolerance=pair.tolerance, question=pair.question, second_opinion=False
        )
        yield pair, verdict


@pytest.mark.parametrize("part", ["dev", "heldout"])
def test_the_grader_agrees_with_the_labels(part):
    """An undecided pair counts as not accepted; only accepting an unlike pair is counted as a false accept."""
    counts = Counter((pair.label, verdict.is_equal) for pair, verdict in graded(part))
    scored = sum(counts[label, found] for label in ("equal", "different") for found in (True, False))
    assert counts["different", True] <= FALSE_ACCEPTS[part]
    assert (counts["equal", True] + counts["different", False]) / scored >= AGREEMENT[part]


@pytest.mark.parametrize("part", ["dev", "heldout"])
def test_answers_are_found_in_the_replies(part):
    replies = read_extractions(part)
    found = [extract(row.reply, style=STYLES.get(row.style, row.style), question=row.question) for row in replies]
    right = [
        answer is None if row.expected is None else answer is not None and same(row.expected, answer, row.question)
        for row, answer in zip(replies, found, strict=True)
    ]
    assert sum(right) / len(right) >= EXTRACTED[part]


def same(expected, answer, question):
    return equivalent(expected, answer, question=question, second_opinion=False).equality is Equality.EQUAL
