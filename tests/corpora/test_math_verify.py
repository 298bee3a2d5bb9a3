"""Verification: what is right is kept, what was altered is not, and every kind has its own evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records, shards
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable
from corpora.math.prose import spoken
from corpora.math.verify import VerifyAnswersConfig, verify, verify_answers

QUESTION = "Ann buys 14 pens at $3 each. How much does she pay?"
SOLUTION = "She pays 14 * 3 = $<<14*3=42>>42.\n#### 42"


def make(kind="seed", question=QUESTION, solution=SOLUTION, answer="42"):
    return rows.problem(kind, question, solution, answer, source="t", license="MIT")


def drill(calculation, answer):
    return make("drill", f"What is {calculation}?", f"{calculation} = {answer}\n#### {answer}", str(answer))


def test_a_chain_is_evidence_and_names_its_path():
    row = verify(make())
    assert (row["verdict"], row["evidence"], row["path_key"]) == ("verified", "re-executed", "(14*3)=42")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (make(answer="43"), "answer is not the solution's"),
        (make(solution="14 * 3 = <<14*3=42>>43\n#### 42"), "text is not the step's result"),
        (make(solution="14 x 2 = $42, <<14*3=42>>\n#### 42"), "text has a wrong calculation"),
        (make("renumber", question=QUESTION.replace("14", "15")), "number from nowhere"),
        (drill("2 + 2", 5), "text has a wrong calculation"),
        (drill("2 / 4", 0), "text has a wrong calculation"),
        (make("drill", "What is 2 + 2", "4\n#### 4", "4"), "drill not read"),
        (make("program", solution="print(42)"), "program not run"),
    ],
)
def test_an_altered_row_is_refused_with_the_reason(row, reason):
    with pytest.raises(Unusable, match=reason):
        verify(row)


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("They cost 6 x 2.5 = $18.", [(18, 15)]),
        ("so 1,000 – 50=950 left\n3x4=12", [(950, 950), (12, 12)]),
        ("half of it is (1/2)*$24 = $12", [(12, 12)]),
        ("10x+13=383, 20(x + 1) = 80 and 3 = 3", []),
        ("12 eggs x 3 = 36 eggs, 2 + 3 = 5 + 1, 50% * 4 = 2", []),
        ("she gives 5+5*3=5+22=20", [(20, 27)]),
    ],
)
def test_calculations_in_prose_are_found(prose, found):
    assert list(spoken(prose)) == found


@given(st.integers(0, 999), st.sampled_from("+-*"), st.integers(0, 999), st.integers(-3, 3))
def test_a_drill_is_kept_only_with_its_value(left, sign, right, error):
    value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    row = drill(f"{left} {sign} {right}", value + error)
    if error == 0:
        assert verify(row)["evidence"] == "recomputed"
    else:
        with pytest.raises(Unusable):
            verify(row)


@pytest.fixture
def inputs(stages):
    """Four stage folders; one program is wrong, one crashes."""
    programs = [f"s1 = {text}\nprint(s1)" for text in ("40 + 2", "0.1 * 3 * 140", "41", "1 / 0", "40 + 2.0000001")]
    found = {
        "problems": [make()],
        "renumber": [make("renumber")],
        "program": [make("program", solution=text) for text in programs],
        "drills": [drill(f"{n} + 1", n + 1) for n in range(20)],
    }
    folders = {}
    for name, made in found.items():
        folders[name] = stages.out()
        shards.write(folders[name] / "kept" / shards.shard_name(0, 1), made, records.PROBLEM)
    return folders


def _kept(folder, part="kept"):
    return [row for path in shards.shard_paths(folder / part) for row in rows.read(path)]


@pytest.mark.jail
def test_programs_are_run_and_their_output_compared(inputs, stages):
    out = stages.out()
    counts = verify_answers(out, **inputs, config=VerifyAnswersConfig(max_drills=5), engine=Engine())
    kinds = {"kept_seed": 1, "kept_renumber": 1, "kept_program": 2, "kept_drill": 5}
    assert counts == {
        "kept": 9,
        "rejected": 18,
        "failed": 3,
        "reasons": {
            "lines do not give the answer": 1,
            "output is not the answer": 1,
            "over_limit": 15,
            "program crashed": 1,
        },
        **kinds,
    }
    assert {row["evidence"] for row in _kept(out)} == {"re-executed", "program output", "recomputed"}
    failed = _kept(out, "failed")
    assert {row["verdict"] for row in failed} == {"failed"}
    assert {row["evidence"] for row in failed} == set(counts["reasons"]) - {"over_limit"}
    crashed = next(row for row in stages.rejected(out) if row["reason"] == "program crashed")
    assert "ZeroDivisionError" in crashed["evidence"]


def test_a_limit_takes_the_same_rows_however_they_are_sharded(inputs, stages):
    (inputs["program"] / "kept" / shards.shard_name(0, 1)).unlink()
    shards.write(inputs["program"] / "kept" / shards.shard_name(0, 1), [], records.PROBLEM)
    one, two = stages.out(), stages.out()
    config = VerifyAnswersConfig(max_seeds=0, max_drills=7)
    verify_answers(one, **inputs, config=config, engine=Engine())
    made = _kept(inputs["drills"])
    again = stages.out()
    for index in range(3):
        shards.write(again / "kept" / shards.shard_name(index, 3), made[index::3], records.PROBLEM)
    verify_answers(two, **{**inputs, "drills": again}, config=config, engine=Engine())
    ids = [sorted(row["id"] for row in _kept(folder)) for folder in (one, two)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 8


@pytest.mark.jail
def test_a_recipe_may_keep_what_failed(inputs, stages):
    out = stages.out()
    config = VerifyAnswersConfig(keep=("verified", "failed"), max_drills=0)
    counts = verify_answers(out, **inputs, config=config, engine=Engine())
    assert counts["reasons"] == {"over_limit": 20}
    assert (counts["kept"], counts["failed"], counts["kept_program"]) == (7, 3, 5)
    labels = {row["solution"]: row["verdict"] for row in _kept(out)}
    assert labels["s1 = 41\nprint(s1)"] == "failed"
    assert labels["s1 = 40 + 2\nprint(s1)"] == "verified"


def test_an_unknown_verdict_cannot_be_kept():
    with pytest.raises(ValueError, match=r"keep must name some of verified, failed, got \('good',\)"):
        VerifyAnswersConfig(keep=("good",))


@pytest.mark.parametrize("field", ["max_seeds", "tolerance", "wall_seconds"])
def test_wrong_configs_are_refused(field):
    with pytest.raises(ValueError, match=f"VerifyAnswersConfig.{field} must be"):
        VerifyAnswersConfig(**{field: -1})
