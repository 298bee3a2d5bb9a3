"""Answers: the table of labelled pairs, and what must hold for any pair."""

import csv
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.answers import Equality, equivalent, extract

PAIRS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "answers.csv").open(encoding="utf-8")))
FRACTIONS = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**4)
ALPHABET = st.sampled_from([*"0123456789+-*/^(){}[]|,.%$= \\xabpi", "\\frac", "\\sqrt", "\\text{", "½", "\n", " and "])
TEXTS = st.one_of(
    st.text(ALPHABET.filter(lambda c: len(c) == 1), max_size=30), st.lists(ALPHABET, max_size=20).map("".join)
)


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{p['gold']}~{p['predicted']}" for p in PAIRS])
def test_labelled_pairs_get_their_label(pair):
    assert equivalent(pair["gold"], pair["predicted"]).equality.value == pair["equality"]


def test_the_table_has_every_label_often():
    labels = [pair["equality"] for pair in PAIRS]
    assert len(PAIRS) >= 120
    assert min(labels.count(e.value) for e in Equality) >= 25


@given(TEXTS, TEXTS)
def test_any_two_texts_are_compared_the_same_both_ways(left, right):
    """Symmetric, but for which side is empty; never an exception."""
    one, other = equivalent(left, right), equivalent(right, left)
    assert one.is_equal == other.is_equal
    if "empty" not in (one.evidence, other.evidence):
        assert one == other


@given(TEXTS.filter(lambda text: len(text.strip(" \n.$*`\\")) > 0))
def test_a_text_is_never_different_from_itself(text):
    assert equivalent(text, text).equality is not Equality.DIFFERENT or equivalent(text, text).evidence == "empty"


@given(FRACTIONS, st.integers(1, 50))
def test_a_scaled_fraction_is_equal(value, factor):
    scaled = f"{value.numerator * factor}/{value.denominator * factor}"
    latex = rf"\frac{{{value.numerator * factor}}}{{{value.denominator * factor}}}"
    assert equivalent(str(value), scaled).is_equal
    assert equivalent(str(value), latex).is_equal


@given(FRACTIONS, FRACTIONS)
def test_different_rationals_are_different(left, right):
    assert equivalent(str(left), str(right)).is_equal == (left == right)


@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_change_nothing(value):
    assert equivalent(str(value), f"{value:,}").is_equal
    assert extract(f"So we get {value:,}.", style="last_number") == f"{value:,}"


def test_tolerance_is_an_absolute_difference():
    assert equivalent("0.1", "0.1001", tolerance=1e-3).is_equal
    assert not equivalent("0.1", "0.1001").is_equal
    assert not equivalent("100", "100.1", tolerance=Fraction(1, 100)).is_equal
    with pytest.raises(ValueError, match="tolerance must be"):
        equivalent("1", "1", tolerance=-1)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "(" * 1000 + "1" + ")" * 1000,
        "{" * 1999,
        "-" * 1999 + "1",
        "2^" * 900 + "2",
        "1" * 2000,
        "1e999999999",
        "0.5^100000",
        r"\frac{" * 300,
        r"\text{" * 300,
        ", " * 900,
        "a " * 990,
        "1 a" * 600,
        "5" * 10**6,
        "1" + " " * 1990 + "a",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_answers_end_in_time(text):
    started = time.process_time()
    assert not equivalent("17", text).is_equal
    equivalent(text, text)
    extract(text, style="final"), extract(text, style="last_number")
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("reply", "final", "last"),
    [
        ("2 + 3 = 5\n#### 5", "5", "5"),
        ("#### 4\nwait\n#### 5", "5", "5"),
        ("####", None, None),
        ("#### $1,250.50 ", "$1,250.50", "1,250.50"),
        (r"so \boxed{\frac{3}{4}}.", r"\frac{3}{4}", r"\frac{3}{4}"),
        (r"\boxed{1} then \boxed{{2}}", "{2}", "2"),
        (r"\boxed{1", None, "1"),
        ("The answer is 42.", "42", "42"),
        ("The answer is: **42**.", "42", "42"),
        ("The final answer is 3.5 apples, because 2 are gone", "3.5 apples", "2"),
        ("The answer is not 5", None, "5"),
        ("Answer: 12", "12", "12"),
        ("405", "405", "405"),
        (" -7. ", "-7", "-7"),
        ("3/4", "3/4", "3/4"),
        ("50%", "50%", "50"),
        ("347 + 58 = 405", None, "405"),
        ("10-3=7", None, "7"),
        ("it fell to -3 degrees", None, "-3"),
        ("10 - 3", None, "3"),
        ("10-3", None, "3"),
        ("1/2 of it", None, "1/2"),
        ("It costs $18.", None, "18"),
        ("no number here", None, None),
        ("", None, None),
        ("1.92e9 people", None, "1.92e9"),
    ],
)
def test_answers_are_found_in_replies(reply, final, last):
    assert (extract(reply, style="final"), extract(reply, style="last_number")) == (final, last)


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="style must be one of final, last_number, got 'first'"):
        extract("5", style="first")


@given(TEXTS)
def test_extraction_never_fails(reply):
    for style in ("final", "last_number"):
        found = extract(reply, style=style)
        assert found is None or found.strip()
