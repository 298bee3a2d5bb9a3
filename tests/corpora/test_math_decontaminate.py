"""Decontamination: copies of test questions are found, changed ones to a stated share, and ordinary questions are not."""

import hashlib
import json
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.question_copies import COPIES, copy, numbers
from corpora import benchmarks, records, shards
from corpora.benchmarks import BenchmarkProblem
from corpora.benchmarks.files import BenchmarkFiles
from corpora.benchmarks.known import KNOWN, known
from corpora.benchmarks.rowfiles import digest
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.decontaminate import DecontaminateMathConfig, decontaminate_math, decontaminate_seeds, judge
from corpora.math.expressions import canonical_expression
from corpora.math.overlap import QuestionIndex, lcs_ratio

TOKENS = st.lists(st.sampled_from("abcd"), max_size=300)
CONFIG = DecontaminateMathConfig()
FLOORS = {
    "as published, in capitals": (100, 100),
    "numbers changed": (75, 99),
    "numbers spelled": (90, 98),
    "names changed": (80, 95),
    "names and numbers changed": (55, 95),
    "three nouns changed": (45, 80),
    "names, nouns and numbers changed": (10, 65),
    "every eighth word changed": (25, 97),
    "every fifth word changed": (0, 15),
    "two sentences added": (90, 97),
    "two sentences added, numbers changed": (55, 97),
    "sentences in another order": (85, 90),
    "another order, numbers changed": (55, 90),
    "inside a longer prompt": (99, 99),
}
"""Percent of GSM8K's test questions that are found: as contaminated, and by any rule (what a row made here is held to)."""


def problem(name, question, number=0):
    return BenchmarkProblem(
        id=f"{name}/{number}", benchmark=name, split="test", prompt=question, solution="", question=question
    )


def index_of(*questions, name="b"):
    return QuestionIndex([problem(name, question, number) for number, question in enumerate(questions)], CONFIG)


@pytest.fixture(scope="module")
def index():
    return QuestionIndex(benchmarks.load("gsm8k", "test"), CONFIG)


@pytest.fixture(scope="module")
def questions():
    return [problem.question for problem in benchmarks.load("gsm8k", "test")][::6]


def test_every_copy_has_a_floor():
    assert FLOORS.keys() == COPIES.keys()


@pytest.mark.parametrize("name", COPIES)
def test_copies_of_test_questions_are_found(index, questions, name):
    made = [copy(name, question) for question in questions]
    found = index.overlaps(made)
    contaminated = sum(any(one.verdict == "contaminated" for one in overlaps) for overlaps in found)
    shares = [round(100 * count / len(made), 1) for count in (contaminated, sum(map(bool, found)))]
    assert all(share >= floor for share, floor in zip(shares, FLOORS[name], strict=True)), shares


def test_what_is_told_stands_in_the_text(index, questions):
    texts = [f"Ｑ１：  {question}" for question in questions[:50]]
    for text, overlaps in zip(texts, index.overlaps(texts), strict=True):
        assert overlaps[0].verdict == "contaminated"
        for overlap in overlaps:
            assert text[overlap.offset : overlap.offset + len(overlap.run)] == overlap.run
            assert len(overlap.run.split()) >= 3


def test_ordinary_questions_are_not_found(index):
    train = [problem.question for problem in benchmarks.load("gsm8k", "train")][::10]
    found = index.overlaps(train)
    assert sum(map(bool, found)) <= 4
    assert sum(any(one.verdict == "contaminated" for one in overlaps) for overlaps in found) <= 1
    assert index.overlaps(["What is 347 + 58?", "", "   ", "\ud800", "？" * 50]) == [[]] * 5


def test_five_thousand_rows_take_less_than_a_core_second(index):
    train = [problem.question for problem in benchmarks.load("gsm8k", "train")][:5000]
    index.overlaps(train[:10])
    start = time.process_time()
    index.overlaps(train)
    assert time.process_time() - start < 1


@given(TOKENS, TOKENS)
def test_the_common_subsequence_is_the_longest(left, right):
    table = [0] * (len(right) + 1)
    for a in left:
        before = list(table)
        for j, b in enumerate(right):
            table[j + 1] = before[j] + 1 if a == b else max(before[j + 1], table[j])
    assert lcs_ratio(left, right) == table[-1] / max(len(left), len(right), 1)


def test_a_question_deep_in_a_long_text_is_found(questions):
    index = index_of(questions[0])
    filler = " ".join(f"word{chr(97 + number % 26)} is here" for number in range(3000))
    (found,) = index.overlaps([f"{filler} {questions[0]} {filler}"])
    assert [one.verdict for one in found if one.rule.startswith("13-gram")] == ["contaminated"]


def test_a_short_question_is_found_by_its_words_and_signs():
    index = index_of("Compute $\\sin 0^\\circ$.", "Find $3 - 2x$ at $x=1$.", "What is $\\dfrac{1}{2}$ of ten?")
    texts = [
        "compute \\(\\sin   0^\\circ\\)",
        "Find $3 + 2x$ at $x=1$.",
        "Find 3 − 2x at x = 1",
        "What is $\\frac{1}{2}$ of ten",
        "Compute $\\sin 0^\\circ$ now.",
    ]
    assert [[one.rule for one in found if one.rule == "same words"] for found in index.overlaps(texts)] == [
        ["same words"],
        [],
        ["same words"],
        ["same words"],
        [],
    ]


def test_a_short_question_is_found_inside_a_text_and_with_other_numbers():
    index = index_of("What is the least prime above 200?", "What is 88 ÷ 4 ÷ 2?")
    texts = [
        "Tell me: what is the least prime above 200? Think first, then say the answer in a sentence, and check it twice.",
        "What is the least prime above 300?",
        "What is the least prime above two hundred?",
        "What is the greatest prime above 200?",
        "What is 17 ÷ 3 ÷ 5?",
    ]
    assert [[one.rule for one in found] for found in index.overlaps(texts)] == [
        ["same words, inside", "same words, numbers masked"],
        ["same words, numbers masked"],
        [],
        [],
        [],
    ]


def test_chinese_questions_are_found_with_other_numbers_and_full_width_digits():
    question = "学校图书馆有故事书360本，科技书比故事书多25%，两种书一共有多少本？"
    index = index_of(question)
    texts = [question.replace("360", "３６０"), question.replace("360", "480"), "小明有3个苹果，吃了1个，还剩几个？"]
    assert [[one.verdict for one in found][:1] for found in index.overlaps(texts)] == [
        ["contaminated"],
        ["contaminated"],
        [],
    ]
    assert [bool(found) for found in index.overlaps([numbers(question, random.Random(1))])] == [True]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("What is 9 + 5?", True),
        ("５＋９＝", True),
        ("Calculate: 5 plus 9", True),
        ("计算 5+9 等于多少？", True),
        ("What is 9 - 5?", False),
        ("What is 59?", False),
        ("Find 5 + 9 0.", False),
        ("Ann has 5 + 9 apples. How many has she?", False),
        ("(44+97)*61*65", True),
        ("What is 61 × (97 + 44) × 65?", True),
        ("7**4 =", True),
        ("What is 4^7?", False),
        ("16/83", True),
        ("What is \\frac{16}{83}?", True),
        ("sin(-0.5 \\pi)", True),
    ],
)
def test_arithmetic_is_found_by_what_is_calculated(text, is_found):
    index = index_of("5+9=", " ( 44 + 97) * 61 * 65=", "7^4=", "16÷83=", "sin(-0.5π)=", name="math401")
    assert [one.rule for one in index.overlaps([text])[0] if one.rule == "same expression"] == (
        ["same expression"] if is_found else []
    )


@given(st.text(max_size=80))
def test_any_text_is_an_expression_or_none(text):
    assert canonical_expression(text) is None or any(mark.isalnum() for mark in text)


def test_each_benchmark_that_has_the_question_is_told(questions):
    problems = [problem("math", questions[0]), problem("math-500", questions[0]), problem("math", questions[1], 1)]
    (found,) = QuestionIndex(problems, CONFIG).overlaps([questions[0]])
    assert sorted({(one.benchmark, one.problem) for one in found}) == [("math", "math/0"), ("math-500", "math-500/0")]


@pytest.mark.parametrize(
    ("kind", "verdicts", "reason"),
    [
        ("seed", ["template"], None),
        ("renumber", ["template"], "template"),
        ("program", ["template"], "template"),
        ("drill", ["template"], None),
        ("drill", ["contaminated"], "contaminated"),
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
    renumbered = [numbers(question, random.Random(3)) for question in questions]
    changed = next(text for text in renumbered if {o.verdict for o in index.overlaps([text])[0]} == {"template"})
    texts = [("seed", questions[1]), ("seed", changed), ("renumber", changed), ("drill", "What is 2 + 2?")]
    made = [rows.problem(kind, text, "", "", source="t", license="MIT") for kind, text in texts]
    out = stages.out()
    counts = decontaminate_math(out, problems=_folder(stages, made), config=CONFIG, engine=Engine())
    assert (counts["kept"], counts["rejected"], counts["reasons"]) == (2, 2, {"contaminated": 1, "template": 1})
    kept = {row["id"] for path in shards.shard_paths(out / "kept") for row in rows.read(path)}
    assert kept == {made[1]["id"], made[3]["id"]}
    ledger = shards.read(out / "ledger.parquet", records.LEDGER).to_pylist()
    decisions = {(row["id"], row["decision"]) for row in ledger}
    assert (made[0]["id"], "dropped: contaminated") in decisions
    assert (made[1]["id"], "kept: template of a seed") in decisions
    texts = {row["id"]: row["question"] for row in made}
    for row in ledger:
        assert row["ngram"]
        assert texts[row["id"]][row["offset"] : row["offset"] + row["length"]] == row["ngram"]
    found = counts["benchmarks"]["gsm8k"]
    assert (found["items"], found["documents"], found["kinds"], found["kept"]) == (
        1319,
        2,
        {"renumber": 1, "seed": 1},
        1,
    )
    assert found["rules"]["13-gram and LCS"] >= 1
    assert counts["unchecked"] == list(KNOWN)


def test_how_rows_lie_in_shards_is_not_in_the_ledger(stages, questions):
    made = [rows.problem("renumber", text, "", "", source="t", license="MIT") for text in questions[:30]]
    ledgers = []
    for order in (made, made[::-1]):
        out = stages.out()
        decontaminate_math(out, problems=_folder(stages, order), config=CONFIG, engine=Engine())
        ledgers.append((out / "ledger.parquet").read_bytes())
    assert ledgers[0] == ledgers[1]


def test_what_is_clean_stays_clean(stages, questions, same_bytes):
    """Idempotent: a second pass drops nothing and keeps the same bytes."""
    train = [problem.question for problem in benchmarks.load("gsm8k", "train")][:40]
    made = [rows.problem("seed", text, "", "", source="t", license="MIT") for text in (*train, *questions[:5])]
    made.sort(key=lambda row: row["id"])
    first, second = stages.out(), stages.out()
    decontaminate_seeds(first, problems=_folder(stages, made), config=CONFIG)
    counts = decontaminate_seeds(second, problems=first, config=CONFIG)
    assert counts["rejected"] == 0
    same_bytes(first / "kept", second / "kept")


LAYOUTS = {
    "math": (
        "algebra/1.json",
        [{"problem": "Find $x$ when $x + 3 = 7$ holds.", "solution": "\\boxed{4}", "level": "1"}],
    ),
    "math-500": (
        "test.jsonl",
        [{"problem": "Find the sum of all roots.", "answer": "4", "unique_id": "test/a/1.json"}],
    ),
    "math401": ("math401.json", [{"query": "5+9=", "response": "14"}, {"query": "e^(iπ)+1=", "response": "0"}]),
    "math23k": ("test.json", [{"id": "7", "original_text": "镇海雅乐学校有多少人？", "equation": "x=5", "ans": "5"}]),
    "svamp": (
        "SVAMP.json",
        [{"ID": "chal-1", "Body": "A pack costs 76 dollars", "Question": "How much?", "Answer": 51.0}],
    ),
    "cmath": ("test.jsonl", [{"grade": 1, "input": "芳芳还剩多少页没有看？", "golden": "9"}]),
}


def test_every_known_set_has_a_layout_here():
    assert LAYOUTS.keys() == KNOWN.keys()


def _written(folder, file, content):
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("form", ["as published", "a list", "pretty objects"])
def test_known_sets_are_read_in_their_layouts(tmp_path, name, form):
    file, values = LAYOUTS[name]
    if form == "as published":
        content = "\n".join(json.dumps(value) for value in values)
    else:
        file = file.replace(".jsonl", ".json")
        content = json.dumps(values) if form == "a list" else "\n".join(json.dumps(one, indent=1) for one in values)
    _written(tmp_path, file, content)
    root = tmp_path if "/" in file else tmp_path / file
    problems = BenchmarkFiles(((name, str(root)),)).load(known(name, digest(root)))
    assert len(problems) == len(values)
    assert all(one.question and one.answer and one.benchmark == name for one in problems)
    assert name != "svamp" or problems[0].question == "A pack costs 76 dollars How much?"
    assert name != "svamp" or (problems[0].id, problems[0].answer) == ("svamp/chal-1", "51")
    assert name != "math" or form != "as published" or problems[0].id == "math/algebra/1"


def test_a_folder_has_a_digest_that_any_change_changes(tmp_path):
    _written(tmp_path, "algebra/1.json", '{"problem": "a", "solution": "b"}')
    first = digest(tmp_path)
    content = hashlib.sha256(b'{"problem": "a", "solution": "b"}').hexdigest()
    assert first == hashlib.sha256(f"{content}  algebra/1.json\n".encode()).hexdigest()
    _written(tmp_path, "algebra/2.json", '{"problem": "c", "solution": "d"}')
    with pytest.raises(ValueError, match=re.escape(f"sha256 is {digest(tmp_path)}, wanted {first}")):
        BenchmarkFiles((("math", str(tmp_path)),)).load(known("math", first))


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="no known benchmark 'aime'; known are math, math-500"):
        known("aime", "0" * 64)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ngram": 0}, "DecontaminateMathConfig.ngram must be at least 1, got 0"),
        ({"short_runs": 0}, "DecontaminateMathConfig.short_runs must be at least 1, got 0"),
        ({"lcs_ratio": 1.0}, "DecontaminateMathConfig.lcs_ratio must be at least 0 and below 1, got 1.0"),
        ({"held_ratio": 0.0}, "DecontaminateMathConfig.held_ratio must be above 0 and at most 1, got 0.0"),
        ({"benchmarks": ("gsm8k",)}, "must be written name:split, got 'gsm8k'"),
    ],
)
def test_wrong_configs_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        DecontaminateMathConfig(**fields)
