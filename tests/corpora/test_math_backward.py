"""Problems asked backwards: one number is X, the solution undoes the story step by step, and only one X fits."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.math import equation, rows
from corpora.math.annotations import Unusable
from corpora.math.backward import BackwardConfig, backward_rows
from corpora.math.equation import Operation
from corpora.math.verify import label, verify

QUESTION = "Ann buys 14 pens at $3 each and 25 pads at $4 each. How much does she pay?"
SOLUTION = """Pens cost 14 * 3 = $<<14*3=42>>42.
Pads cost 25 * 4 = $<<25*4=100>>100.
She pays 42 + 100 = $<<42+100=142>>142.
#### 142"""


def seed(question=QUESTION, solution=SOLUTION):
    answer = solution.rpartition("####")[2].strip()
    return rows.problem("seed", question, solution, answer, source="t", license="MIT")


def made(question=QUESTION, solution=SOLUTION, **config):
    return backward_rows(seed(question, solution), BackwardConfig(**config))


def test_every_number_can_be_asked_for():
    found = {row["answer"]: row for row in made()}
    assert set(found) == {"14", "3", "25", "4"}
    row = found["3"]
    assert row["question"].startswith("Ann buys 14 pens at $X each and 25 pads at $4 each. How much does she pay? ")
    assert "142" in row["question"]
    lines = row["solution"].splitlines()
    assert lines[:3] == [
        "Pads cost 25 * 4 = $<<25*4=100>>100.",
        "Pens cost 14 * X.",
        "She pays 14 * X + 100.",
    ]
    assert lines[4] == "14 * X + 100 = 142"
    assert lines[5].endswith(": 14 * X = 142 - 100 = <<142-100=42>>42")
    assert lines[6].endswith(": X = 42 / 14 = <<42/14=3>>3")
    assert lines[7] == (
        "Check: with X = 3 we get 14 * 3 = <<14*3=42>>42, then 42 + 100 = <<42+100=142>>142, "
        "which is the answer we were given."
    )
    assert lines[8] == "#### 3"


def test_rows_are_verified_by_what_they_say_and_keep_their_path():
    for row in made():
        verified = verify(row)
        assert (verified["verdict"], verified["evidence"]) == ("verified", "X put back")
        assert verified["path_key"] == row["path_key"]
        assert row["kind"] == "backward"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("#### 3", "#### 4", "answer is not the solution's"),
        ("14 * X + 100 = 142", "14 * X + 101 = 142", "equation does not hold"),
        ("14 * X + 100 = 142", "14 * X * X + 16 = 142", "more than one solution"),
        ("14 * X + 100 = 142", "14 * X * 0 + 142 = 142", "more than one solution"),
        ("14 * X + 100 = 142", "X * X + 133 = 142", "more than one solution"),
        ("14 * X + 100 = 142\n", "", "no equation"),
        ("<<142-100=42>>42", "<<142-100=42>>43", "text is not the step's result"),
        ("<<42+100=142>>142, which", "<<42+100=142>>142 and <<40+3=43>>43, which", "X does not give the answer"),
        ("25 * 4 = $<<25*4=100>>100", "50 * 2 = $<<50*2=100>>100", "number from nowhere"),
    ],
)
def test_an_altered_row_fails_with_the_reason(old, new, reason):
    row = next(row for row in made() if row["answer"] == "3")
    assert old in row["solution"]
    labelled = label({**row, "solution": row["solution"].replace(old, new)})
    assert (labelled["verdict"], labelled["evidence"]) == ("failed", reason)


def test_another_answer_in_the_question_fails():
    row = next(row for row in made() if row["answer"] == "3")
    assert label({**row, "question": row["question"].replace("142", "156")})["verdict"] == "failed"


@pytest.mark.parametrize(
    ("question", "solution", "reason"),
    [
        ("Ann has 14 pens.", "<<14*14=196>>196\n#### 196", "unknown twice"),
        ("A box of 14 pens, X of them red.", "<<14+1=15>>15\n#### 15", "letter in question"),
        ("Ann has 14 pens.", "<<14*17=238>>238\n#### 238", "constant not in question"),
        ("Ann rounds 14.5 pens.", "<<14.5+14.5=29>>29\n#### 29", "comparison or rounding"),
        ("How many boxes are needed for 36 hats, a dozen each?", "<<36/12=3>>3\n#### 3", "whole things"),
        ("A 14 pound hat at $15 a pound.", "<<14*15=210>>210\n#### 210", None),
        (QUESTION, SOLUTION.replace("14 * 3 =", "14 * 4 ="), "text has a wrong calculation"),
    ],
)
def test_what_has_no_one_answer_is_refused(question, solution, reason):
    if reason is None:
        assert [row["answer"] for row in made(question, solution)] == ["15"]  # not the one after an article
        return
    with pytest.raises(Unusable, match=reason):
        made(question, solution)


def test_a_sentence_that_tells_x_is_not_said():
    for row in made(solution=SOLUTION.replace("Pads cost", "With pens at 3, pads cost")):
        body = row["solution"].partition("Check")[0]
        if row["answer"] == "3":
            assert "pens at 3" not in body


numbers = st.integers(2, 30).map(Fraction)
lines = st.lists(st.builds(Operation, st.sampled_from("+-*/"), numbers, st.booleans()), min_size=1, max_size=4)


@given(lines, numbers)
def test_an_equation_is_written_as_it_is_meant_and_solved_by_undoing(line, x):
    value = x
    try:
        for operation in line:
            value = operation.apply(value)
        steps = list(equation.solve(tuple(line), value))
    except Unusable:  # a division by zero, a negative number, or one with too many decimals
        return
    assert steps[-1].value == x
    from corpora.math import second

    assert second.value(equation.write(line), {"X": x}) == value


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: (2 * x + 1) / (x + 50), True),
        (lambda x: x, True),
        (lambda x: x * x, False),
        (lambda x: x - x, False),
        (lambda x: abs(x - 8), False),
        (lambda x: 3 * x * (x + 1), False),
    ],
)
def test_injectivity_is_proved_by_a_fit(function, expected):
    assert equation.is_injective(function, Fraction(5)) is expected


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match=r"BackwardConfig.variants must be at least 1, got 0"):
        BackwardConfig(variants=0)


def test_a_small_number_that_may_be_in_the_steps_by_chance_is_not_asked_for():
    """Seen: of 3 cats one has 1 stone, and 3*2 was of the stones."""
    with pytest.raises(Unusable, match="number not used"):
        made("She has 3 cats. Spaatz has 1 stone, half of that.", "Frankie has 3*2=<<3*2=6>>6.\n#### 6")


def test_the_first_line_does_not_go_on_from_another():
    rows_ = made(solution=SOLUTION.replace("Pads cost", "Then pads cost"))
    assert {row["solution"].splitlines()[0] for row in rows_ if row["answer"] == "3"} == {
        "Pads cost 25 * 4 = $<<25*4=100>>100."
    }
