"""Decontamination: every test question is found, with other numbers nearly every one, and ordinary questions are not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import benchmarks, records, shards
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.decontaminate import DecontaminateMathConfig, decontaminate_math, decontaminate_seeds, judge
from corpora.math.overlap import QuestionIndex, lcs_ratio

TOKENS = st.lists(st.sampled_from("abcd"), max_size=12)


@pytest.fixture(scope="module")
def index():
    return QuestionIndex(benchmarks.load("gsm8k", "test"), ngram=13, masked_ngram=10, ratio=0.6)


@pytest.fixture(scope="module")
def questions():
    return [problem.question for problem in benchmarks.load("gsm8k", "test")][::10]


def test_every_test_question_is_found(index, questions):
    for question in questions:
        found = index.overlaps(question.upper().replace(",", " ,"))
        assert found[0].verdict == "contaminated"
        assert question.upper().replace(",", " ,")[found[0].offset :].startswith(found[0].run)


def test_nearly_every_test_question_with_other_numbers_is_found(index, questions):
    numbered = [question for question in questions if re.search(r"\d", question)]
    changed = [re.sub(r"\d+", lambda match: str(int(match[0]) + 7), question) for question in numbered]
    assert sum(bool(index.overlaps(question)) for question in changed) >= 0.9 * len(changed)


def test_ordinary_questions_are_not_found(index):
    train = [problem.question for problem in benchmarks.load("gsm8k", "train")][::40]
    assert sum(bool(index.overlaps(question)) for question in train) <= 2
    assert index.overlaps("What is 347 + 58?") == []
    assert index.overlaps("") == []


@given(TOKENS, TOKENS)
def test_the_common_subsequence_is_the_longest(left, right):
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert lcs_ratio(left, right) == table[-1][-1] / max(len(left), len(right), 1)


def test_a_short_question_is_found_by_its_words():
    index = QuestionIndex(benchmarks.load("gsm8k", "test"), ngram=500, masked_ngram=500, ratio=0.6)
    question = benchmarks.load("gsm8k", "test")[3].question
    assert [overlap.rule for overlap in index.overlaps(f"  {question}!")] == ["same words"]
    assert index.overlaps(question + " now") == []


@pytest.mark.parametrize(
    ("kind", "verdicts", "reason"),
    [
        ("seed", ["template"], None),
        ("renumber", ["template"], "template"),
        ("program", ["template"], "template"),
        ("seed", ["contaminated", "template"], "contaminated"),
        ("renumber", [], None),
    ],
)
def test_a_template_counts_against_rows_made_here_only(kind, verdicts, reason):
    class Overlap:
        def __init__(self, verdict):
            self.verdict = verdict

    assert judge(kind, [Overlap(verdict) for verdict in verdicts]) == reason


def _folder(stages, made):
    folder = stages.out()
    for number in range(2):
        shards.write(folder / "kept" / shards.shard_name(number, 2), made[number::2], records.PROBLEM)
    return folder


def test_planted_questions_leave_and_the_ledger_says_why(stages, questions, index):
    renumbered = [re.sub(r"\d+", lambda match: str(int(match[0]) + 7), question) for question in questions]
    changed = next(text for text in renumbered if [o.verdict for o in index.overlaps(text)] == ["template"])
    texts = [("seed", questions[1]), ("seed", changed), ("renumber", changed), ("drill", "What is 2 + 2?")]
    made = [rows.problem(kind, text, "", "", source="t", license="MIT") for kind, text in texts]
    out = stages.out()
    config = DecontaminateMathConfig()
    counts = decontaminate_math(out, problems=_folder(stages, made), config=config, engine=Engine())
    assert counts["kept"] == 2
    assert counts["rejected"] == 2
    kept = {row["id"] for path in shards.shard_paths(out / "kept") for row in rows.read(path)}
    assert kept == {made[1]["id"], made[3]["id"]}
    ledger = shards.read(out / "ledger.parquet", records.LEDGER).to_pylist()
    decisions = {(row["id"], row["decision"]) for row in ledger}
    assert (made[0]["id"], "dropped: contaminated") in decisions
    assert (made[1]["id"], "kept: template of a seed") in decisions
    assert {row["benchmark"] for row in ledger} == {"gsm8k"}
    texts = {row["id"]: row["question"] for row in made}
    for row in ledger:
        assert row["ngram"]
        assert texts[row["id"]][row["offset"] : row["offset"] + row["length"]] == row["ngram"]
    found = counts["benchmarks"]["gsm8k"]
    assert (found["items"], found["documents"]) == (1319, 2)
    assert found["rules"]["13-gram and LCS"] >= 1


def test_what_is_clean_stays_clean(stages, questions, same_bytes):
    """Idempotent: a second pass drops nothing and keeps the same bytes."""
    train = [problem.question for problem in benchmarks.load("gsm8k", "train")][:40]
    made = [rows.problem("seed", text, "", "", source="t", license="MIT") for text in (*train, *questions[:5])]
    made.sort(key=lambda row: row["id"])
    first, second = stages.out(), stages.out()
    decontaminate_seeds(first, problems=_folder(stages, made), config=DecontaminateMathConfig())
    counts = decontaminate_seeds(second, problems=first, config=DecontaminateMathConfig())
    assert counts["rejected"] == 0
    same_bytes(first / "kept", second / "kept")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ngram": 0}, "DecontaminateMathConfig.ngram must be at least 1, got 0"),
        ({"lcs_ratio": 1.0}, "DecontaminateMathConfig.lcs_ratio must be at least 0 and below 1, got 1.0"),
        ({"benchmarks": ("gsm8k",)}, "must be written name:split, got 'gsm8k'"),
    ],
)
def test_wrong_configs_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        DecontaminateMathConfig(**fields)
