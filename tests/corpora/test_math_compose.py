"""Two problems in a row: the answer of the first is a number of the second, and both are worked out."""

import pytest

from corpora.math import rows
from corpora.math.annotations import Unusable, read_chain
from corpora.math.compose import ComposeConfig, Pairs, proper_names
from corpora.math.verify import label, verify

FIRST = rows.problem(
    "seed",
    "Ann buys 4 boxes of 5 pens each. How many pens does Ann buy?",
    "She buys 4 * 5 = <<4*5=20>>20 pens.\n#### 20",
    "20",
    source="a",
    license="MIT",
)
SECOND = rows.problem(
    "seed",
    "Bob sells 15 pens at $3 each and a pad for $40. How much does Bob get?",
    "Pens bring 15 * 3 = $<<15*3=45>>45.\nIn all 45 + 40 = $<<45+40=85>>85.\n#### 85",
    "85",
    source="b",
    license="Apache-2.0",
)


def pairs(*seeds, **config):
    return Pairs(seeds or (FIRST, SECOND), ComposeConfig(**config))


def test_the_first_answer_is_the_seconds_number():
    (row,) = pairs().compose(SECOND)
    assert row["question"].startswith(FIRST["question"])
    assert row["question"].endswith("Bob sells N pens at $3 each and a pad for $40. How much does Bob get?")
    assert row["solution"] == (
        "She buys 4 * 5 = <<4*5=20>>20 pens.\nSo N is 20.\n"
        "Pens bring 20 * 3 = $<<20*3=60>>60.\nIn all 60 + 40 = $<<60+40=100>>100.\n#### 100"
    )
    assert (row["kind"], row["answer"], row["seed"]) == ("compose", "100", SECOND["id"])
    assert (row["source"], row["license"]) == ("a b", "Apache-2.0 AND MIT")
    assert row["path_key"] == read_chain(row["solution"]).path_key == "(20*3)=60|(4*5)=20|(40+60)=100"
    assert verify(row)["evidence"] == "both re-executed"


@pytest.mark.parametrize(
    ("field", "old", "new", "reason"),
    [
        ("solution", "So N is 20.", "So N is 21.", "final answer is not the last step"),
        ("solution", "<<20*3=60>>60", "<<20*3=61>>61", "step does not give its result"),
        ("solution", "4 * 5 = <<4*5", "2 * 5 = <<4*5", "text has a wrong calculation"),
        ("question", "$3", "$4", "number from nowhere"),
        ("question", "N pens", "20 pens", "answer is not the solution's"),
        ("answer", "100", "78", "answer is not the solution's"),
    ],
)
def test_an_altered_row_fails_with_the_reason(field, old, new, reason):
    (row,) = pairs().compose(SECOND)
    assert old in row[field]
    labelled = label({**row, field: row[field].replace(old, new)})
    assert (labelled["verdict"], labelled["evidence"]) == ("failed", reason)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("How many pens", "How many pads"), "question"),  # counts something else
        (("Ann", "Bob"), "question"),  # one name in both stories
        (("4 * 5 = <<4*5=20>>20", "4 * 9 = <<4*9=36>>36"), "solution"),  # far from 15
        (("4 * 5 =", "4 * 6 ="), "solution"),  # its prose is wrong
        (("Ann buys 4", "The N boys buy 4"), "question"),  # has an N of its own
    ],
)
def test_seeds_that_do_not_go_together_are_not_put_together(change, field):
    before = {**FIRST, field: FIRST[field].replace(*change)}
    before["solution"] = (
        before["solution"].replace("#### 20", "#### 36") if "36" in before["solution"] else before["solution"]
    )
    assert before != FIRST
    with pytest.raises(Unusable, match="no first problem"):
        pairs(before, SECOND).compose(SECOND)


def test_a_seed_comes_first_no_oftener_than_asked():
    others = [
        {**SECOND, "id": f"{n:032x}", "question": SECOND["question"].replace("$40", f"${n}")} for n in range(31, 37)
    ]
    others = [
        {**row, "solution": row["solution"].replace("40", str(n)).replace("85", str(45 + n))}
        for n, row in enumerate(others, start=31)
    ]
    found = pairs(FIRST, *others, uses=3)
    made = []
    for row in others:
        try:
            made += found.compose(row)
        except Unusable:
            continue
    assert len(made) == 3


def test_names_are_found():
    assert proper_names("Ann and Bob met. Then Carla's dog ran to Dr. Evans.") >= {"Ann", "Bob", "Carla", "Evans"}


@pytest.mark.parametrize("name", ["variants", "uses", "tries", "max_characters"])
def test_wrong_configs_are_refused(name):
    with pytest.raises(ValueError, match=f"ComposeConfig.{name} must be at least 1, got 0"):
        ComposeConfig(**{name: 0})
