"""Drills of every topic: right by another way of working them out, never in a benchmark, never on two sides."""

import random
import sys
import types
from fractions import Fraction
from math import cos, log, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records, shards
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles
from corpora.math import gym, rows
from corpora.math.annotations import Unusable
from corpora.math.drills import ALL_TOPICS, DrillsConfig, DrillTopic, augment_drills, functions, is_held_out, row_of
from corpora.math.drills.check import check
from corpora.math.drills.drill import Drill, decimal
from corpora.math.expressions import canonical_expression
from corpora.math.verify import label, verify


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.topic)
def test_every_topic_is_right_by_another_way_and_no_other_answer_is(topic):
    rng = random.Random(7)
    for _ in range(60):
        row = row_of(topic.drill(rng))
        assert verify(row)["evidence"] == "recomputed"
        other = str(Fraction(row["answer"]) + Fraction(1, 500))
        wrong = {**row, "answer": other, "solution": row["solution"].replace(f"#### {row['answer']}", f"#### {other}")}
        assert label(wrong)["verdict"] == "failed", row


@pytest.mark.parametrize(
    ("question", "answer", "line", "reason"),
    [
        ("Solve for x: 2x + 1 = 2x + 1", "5", "x", "no solution"),
        ("What is the larger solution of x^2 - 1 = 0?", "-1", "x", "no solution"),
        ("What is 2/4 + 1/4, in lowest terms?", "6/8", "x", "not the calculation's"),
        ("How many meters are 3 grams?", "3", "x", "units of two sorts"),
        ("What is 2 + 2?", "4", "2 + 2 = 5", "text has a wrong calculation"),
        ("What is __import__('os')?", "4", "x", "drill not read"),
        ("What is 9^9^9?", "4", "x", "calculation not read"),
        ("What is love?", "4", "x", "calculation not read"),
    ],
)
def test_a_wrong_drill_is_refused(question, answer, line, reason):
    row = rows.problem("drill", question, f"{line}\n#### {answer}", answer)
    with pytest.raises(Unusable, match=reason):
        check(row)


@given(st.integers(-2000, 2000))
def test_functions_agree_with_floating_point(number):
    angle = Fraction(number, 100)
    assert float(functions.sin(angle)) == pytest.approx(sin(angle), abs=1e-12)
    assert float(functions.cos(angle)) == pytest.approx(cos(angle), abs=1e-12)
    if number > 0:
        assert float(functions.ln(angle)) == pytest.approx(log(angle), abs=1e-12)
        assert float(functions.power(angle, Fraction(5, 2))) == pytest.approx(float(angle) ** 2.5, rel=1e-12)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4))
def test_decimals_are_rounded_to_the_nearest(above, below):
    value = Fraction(above, below)
    assert abs(Fraction(decimal(value)) - value) <= Fraction(1, 20_000)


def test_one_exercise_is_on_one_side_however_it_is_asked():
    config = DrillsConfig()
    for left in range(2, 200):
        sides = {
            is_held_out(Drill("q", (), "a", key), config)
            for key in (("+", left, 5), ("+", Fraction(left), Fraction(5)))
        }
        assert len(sides) == 1


def _made(folder, part="kept"):
    return [row for path in shards.shard_paths(folder / part) for row in rows.read(path)]


def test_topics_are_disjoint_between_sides_and_shared_out(stages):
    out = stages.out()
    counts = augment_drills(out, config=DrillsConfig(train_rows=580, heldout_rows=145, groups=(), topics=ALL_TOPICS))
    trained, heldout = _made(out), _made(out, "heldout")
    assert counts == {"kept": len(trained), "heldout": len(heldout), "rejected": 0}
    assert len(trained) > 550
    forms = [{canonical_expression(row["question"]) or row["question"] for row in side} for side in (trained, heldout)]
    assert not forms[0] & forms[1]


def test_what_stands_in_a_benchmark_is_refused_in_any_spelling(stages, tmp_path):
    config = {"train_rows": 60, "heldout_rows": 20, "groups": (), "topics": (DrillTopic(topic="sums-10"),)}
    free = stages.out()
    augment_drills(free, config=DrillsConfig(**config))
    questions = [canonical_expression(row["question"]) for row in _made(free)]
    listed = tmp_path / "m.jsonl"
    listed.write_text("".join(f'{{"query": "{text}=", "response": "0"}}\n' for text in questions[:30]))
    import hashlib

    file = BenchmarkFile(
        name="m401", sha256=hashlib.sha256(listed.read_bytes()).hexdigest(), question="query", answer="response"
    )
    out = stages.out()
    augment_drills(
        out, config=DrillsConfig(files=(file,), **config), benchmark_files=BenchmarkFiles((("m401", str(listed)),))
    )
    made = {canonical_expression(row["question"]) for row in (*_made(out), *_made(out, "heldout"))}
    assert made
    assert not made & set(questions[:30])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DrillTopic(topic="chess"), "DrillTopic.topic must be one of sums-10, "),
        (lambda: DrillTopic(topic="long", weight=0), "DrillTopic.weight must be above 0"),
        (
            lambda: gym.GymConfig(datasets=("gsm_symbolic",)),
            "must not name gsm_symbolic: it is made from templates of GSM8K's",
        ),
        (lambda: gym.GymConfig(datasets=()), "must name at least one data set"),
        (lambda: gym.GymConfig(rows_each=0), "GymConfig.rows_each must be at least 1"),
    ],
)
def test_wrong_configs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Dataset:
    """Items as the package gives them; every third answer is no number, every fifth scores anything 1."""

    def __getitem__(self, number):
        answer = "red" if number % 3 == 0 else str(number)
        return {"question": f"What is {number}?", "answer": answer, "metadata": {"lax": number % 5 == 0}}

    def score_answer(self, answer, entry):
        return 1.0 if entry["metadata"]["lax"] or answer == entry["answer"] else 0.01


def test_items_of_the_package_are_kept_when_its_scorer_tells_answers_apart(stages, monkeypatch):
    package = types.SimpleNamespace(create_dataset=lambda name, seed, size: Dataset())
    monkeypatch.setitem(sys.modules, "reasoning_gym", package)
    out = stages.out()
    counts = gym.augment_gym(out, config=gym.GymConfig(datasets=("chain_sum",), rows_each=30))
    assert counts["reasons"] == {"answer is no number": 10, "wrong answer scored 1": 4}
    assert counts["kept"] == 16
    for row in _made(out):
        assert verify(row)["evidence"] == "scored by reasoning-gym"
        assert set(row) == set(records.PROBLEM.names)
    assert label({**row, "source": "reasoning-gym gsm_symbolic"})["verdict"] == "failed"


def test_without_the_package_the_cure_is_named(stages, monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ValueError, match=r"pip install 'qwen-specialize\[reasoning-gym\]'"):
        gym.augment_gym(stages.out(), config=gym.GymConfig())
