"""Seeds: every form is read, what cannot be a seed is named, questions come once, and a set has an identity."""

import gzip
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SchemaError, records, shards
from corpora.math import golds, rows
from corpora.math.annotations import Unusable, read_chain
from corpora.math.golds import Style
from corpora.math.merge import merge
from corpora.math.seeds import SeedsConfig, collect_seeds, inventory
from corpora.math.seedsets import APE210K, MATH, SEED_SETS, SeedFiles, SeedSet
from tests.corpora.hub import Hub

MINE = SeedSet(name="mine", question="q", answer="a", solution="s", id="n", license="MIT")
ROWS = [
    {"n": number, "q": f"What is {number} and {number} more?", "s": "They add.", "a": 2 * number} for number in range(5)
]


def collect(stages, located, *sets, **fields):
    out = stages.out()
    config = SeedsConfig(sources=(), sets=sets, num_shards=2, **fields)
    files = SeedFiles(tuple((name, str(path)) for name, path in located.items()))
    counts = collect_seeds(out, config=config, seed_files=files)
    return counts, kept(out), stages.rejected(out), out


def kept(out):
    return [row for path in shards.shard_paths(out / "kept") for row in shards.read(path, records.PROBLEM).to_pylist()]


def lines(values):
    return "".join(
        f"{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}\n" for value in values
    )


def _jsonl(folder, values):
    (folder / "x.jsonl").write_text(lines(values), encoding="utf-8")


def _gzip(folder, values):
    (folder / "x.jsonl.gz").write_bytes(gzip.compress(lines(values).encode()))


def _zstd(folder, values):
    with pa.output_stream(folder / "x.jsonl.zst", compression="zstd") as stream:
        stream.write(lines(values).encode())


def _list(folder, values):
    (folder / "x.json").write_text(json.dumps(values), encoding="utf-8")


def _pretty(folder, values):
    (folder / "x.json").write_text(
        "\ufeff" + "\n".join(json.dumps(value, indent=2) for value in values), encoding="utf-8"
    )


def _parquet(folder, values):
    pq.write_table(pa.Table.from_pylist(values), folder / "x.parquet")


@pytest.mark.parametrize("write", [_jsonl, _gzip, _zstd, _list, _pretty, _parquet])
def test_every_form_gives_the_same_seeds(stages, tmp_path, write):
    write(tmp_path, ROWS)
    counts, found, rejected, _ = collect(stages, {"mine": tmp_path}, MINE)
    assert (counts["kept"], counts["rejected"], counts["sets"]) == (5, 0, {"mine": 5})
    assert rejected == []
    row = next(row for row in found if row["source"] == "mine/3")
    wanted = {
        "question": "What is 3 and 3 more?",
        "solution": "They add.",
        "answer": "6",
        "license": "MIT",
        "kind": "seed",
    }
    assert {name: row[name] for name in wanted} == wanted


def test_math_is_read_as_published_and_as_on_the_hub(stages, tmp_path):
    rows_ = [
        {
            "problem": f"Find $x$ when $x+{k}=9$.",
            "level": "Level 1",
            "type": "Algebra",
            "solution": f"So $\\boxed{{{9 - k}}}$.",
        }
        for k in range(4)
    ]
    published, hub = tmp_path / "MATH", tmp_path / "hub"
    for k, row in enumerate(rows_):
        path = published / "train" / "algebra" / f"{k}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row))
    (published / "test" / "algebra").mkdir(parents=True)
    (published / "test" / "algebra" / "0.json").write_text(json.dumps({"problem": "leak", "solution": "\\boxed{1}"}))
    (hub / "algebra").mkdir(parents=True)
    for split, values in (("train", rows_), ("test", [{**rows_[0], "problem": "leak"}])):
        pq.write_table(pa.Table.from_pylist(values), hub / "algebra" / f"{split}-00000-of-00001.parquet")
    first = collect(stages, {"math-train": published}, MATH)[1]
    second = collect(stages, {"math-train": hub}, MATH)[1]
    assert [(row["question"], row["answer"]) for row in first] == [(row["question"], row["answer"]) for row in second]
    assert {row["answer"] for row in first} == {"9", "8", "7", "6"}
    assert {row["source"] for row in first} == {f"math-train/train/algebra/{k}.json" for k in range(4)}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    folder = tmp_path / "served"
    (folder / "algebra").mkdir(parents=True)
    values = [{"problem": "How much is $2+2$?", "solution": "It is $\\boxed{4}$."}]
    pq.write_table(pa.Table.from_pylist(values), folder / "algebra" / "train-00000-of-00001.parquet")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    served = Hub(folder, name=MATH.hub, revision=MATH.revision)
    monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
    yield served
    served.close()


def test_a_set_that_nobody_located_comes_from_the_hub_at_its_commit(stages, hub):
    assert inventory(SeedsConfig(sets=(MATH,)), SeedFiles()) == {"math-train": MATH.revision}
    _, (row,), _, _ = collect(stages, {}, MATH)
    assert (row["answer"], row["source"]) == ("4", "math-train/algebra/train-00000-of-00001.parquet/1")
    assert any(MATH.revision in path for _, path, _ in hub.asked)


CHINESE = [
    ("1", "一共有多少人？", "x=(120+135)/(3/7)", "595", "595"),
    ("2", "完成了几分之几？", "x=1-(1/5)-(1/4)", "(11/20)", "11/20"),
    ("3", "滚动一周的时间是多少？", "x=980/(3*980/(35*2))", "23(1/3)", "70/3"),
    ("4", "现在是原价的多少？", "x=1*(1-10%)*(1-20%)", "72%", "72%"),
    ("5", "每袋多少千克？", "x=12(1/2)*2", "25", "25"),
    ("6", "还剩多少元？", "x=[100-(30.6*2+26.5*0.8)]", "17.6", "17.6"),
    ("7", "平均每天多少个？", "x=100/7", "14.2857", "14.2857"),
]


def test_chinese_golds_are_parsed_and_their_equations_become_solutions(stages, tmp_path):
    values = [{"id": i, "original_text": q, "equation": e, "ans": a, "segmented_text": ""} for i, q, e, a, _ in CHINESE]
    (tmp_path / "train.ape.json").write_text(lines(values), encoding="utf-8")
    ours = replace(APE210K, license="CC0-1.0")
    _, found, rejected, _ = collect(stages, {"ape210k": tmp_path}, ours)
    assert rejected == []
    by_id = {row["source"].rpartition("/")[2]: row for row in found}
    assert {name: row["answer"] for name, row in by_id.items()} == {i: wanted for i, _, _, _, wanted in CHINESE}
    for name in "12356":
        chain = read_chain(by_id[name]["solution"])
        assert chain.answer == golds.chinese(by_id[name]["answer"])


@pytest.mark.parametrize(
    ("equation", "gold", "reason"),
    [
        ("x=5+5", "11", "equation does not give the answer"),
        ("x=80千米/小时", "80", "equation not read"),
        ("x=2**9**9**9", "1", "equation not read"),
        ("x=1/0", "1", "equation not read"),
        ("x=5", "abc", "gold not read"),
        ("x=5", f"5{'米' * 100_000}5", "gold not read"),
        (f"x={'(' * 100_000}5", "5", "equation not read"),
        ("x=5", "((7)/(0))", "gold not read"),
        ("x=5", "3(((1)/(4))", "gold not read"),
    ],
)
def test_a_gold_that_its_equation_does_not_give_is_refused(equation, gold, reason):
    with pytest.raises(Unusable, match=reason):
        golds.solution_of(equation, gold)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_gold_ends_the_reading(equation, gold):
    for read in (lambda: golds.solution_of(equation, gold), lambda: golds.boxed(equation), lambda: golds.written(gold)):
        try:
            read()
        except Unusable:
            continue


@given(st.integers(0, 999), st.integers(1, 99), st.integers(1, 99))
def test_a_mixed_number_is_a_sum(whole, above, below):
    value = golds.chinese(f"{whole}(({above})/({below}))")
    assert value == whole + golds.chinese(f"(({above})/({below}))")


BAD = [
    ("{", "not_a_row", "row 1: is not JSON"),
    ("[1]", "not_a_row", "is a list, wanted an object"),
    ({"q": "", "a": 1, "s": "x"}, "no_question", "map the column in SeedSet.question"),
    ({"q": None, "a": 1, "s": "x"}, "no_question", "the row has a, q, s"),
    ({"q": "Why?", "s": "x"}, "no_answer", "map the column in SeedSet.answer"),
    ({"q": "Why?", "a": [1], "s": "x"}, "no_answer", "column 'a' is empty or no text"),
    ({"q": "Why?", "a": "\ud800", "s": "x"}, "not_utf8", "column 'a'"),
    ({"q": "Why? " * 2000, "a": 1, "s": "x"}, "too_long", "at most 8000"),
]


@pytest.mark.parametrize(("value", "reason", "evidence"), BAD)
def test_a_bad_row_costs_one_row_and_says_where_and_what_to_do(stages, tmp_path, value, reason, evidence):
    text = value if isinstance(value, str) else json.dumps(value)
    (tmp_path / "x.jsonl").write_text(lines([text, *ROWS]), encoding="utf-8")
    counts, _, (rejected,), _ = collect(stages, {"mine": tmp_path}, replace(MINE, id=""))
    assert (counts["kept"], counts["reasons"]) == (5, {reason: 1})
    assert rejected["evidence"].startswith("mine: x.jsonl, row 1: ")
    assert evidence in rejected["evidence"]


def test_a_row_without_its_mark_or_box_says_so(stages, tmp_path):
    values = [{"problem": "How?", "solution": "It is 4."}, {"problem": "Why?", "solution": "$\\boxed{4}$"}]
    (tmp_path / "x.jsonl").write_text(lines(values))
    _, (row,), (rejected,), _ = collect(stages, {"math-train": tmp_path}, MATH)
    assert (row["question"], rejected["reason"]) == ("Why?", "answer_not_read")
    assert "no boxed answer; write the answer in the form of the set's style" in rejected["evidence"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"PAR1 broken", "x.parquet", r"x\.parquet is not a readable Parquet file .*fetch it again"),
        (b"\xff\xfe{", "x.jsonl", r"x\.jsonl is not readable UTF-8"),
        (b"\x1f\x8bbroken", "x.jsonl.gz", r"x\.jsonl\.gz is not readable UTF-8 .*fetch it again"),
        (
            b'{"question": "q"}\n',
            "x.jsonl",
            r"none of the 1 rows of seed set mine can be a seed; the first: mine: x\.jsonl",
        ),
        (b"", "x.jsonl", r"none of the 0 rows of seed set mine .*no row was found"),
        (b"", "x.txt", r"has no file with a name that ends in"),
    ],
)
def test_a_file_that_cannot_be_read_ends_the_run(stages, tmp_path, content, name, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SchemaError, match=message):
        collect(stages, {"mine": tmp_path}, MINE)


def test_a_link_out_of_the_folder_is_not_followed(stages, tmp_path):
    (tmp_path / "secret.jsonl").write_text(lines(ROWS))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(SchemaError, match="is a link out of"):
        collect(stages, {"mine": tmp_path / "set"}, MINE)


def test_a_set_that_is_nowhere_is_refused(stages):
    with pytest.raises(ValueError, match=r"seed set mine is nowhere: add luigi.cfg \[seeds\] mine = FILE or FOLDER"):
        collect(stages, {}, MINE)
    with pytest.raises(ValueError, match=r"luigi.cfg \[seeds\] mine = gone: no such file or folder"):
        collect(stages, {"mine": "gone"}, MINE)


def test_a_set_has_the_identity_of_its_contents(stages, tmp_path):
    (tmp_path / "x.jsonl").write_text(lines(ROWS))
    files = SeedFiles((("mine", str(tmp_path)),))
    config = SeedsConfig(sets=(MINE,))
    first = inventory(config, files)
    (tmp_path / "x.jsonl").write_text(lines(ROWS))  # another time, the same contents
    assert inventory(config, files) == first
    pinned = replace(MINE, sha256=first["mine"])
    assert collect(stages, {"mine": tmp_path}, pinned)[0]["kept"] == 5
    (tmp_path / "x.jsonl").write_text(lines(ROWS[1:]))
    assert inventory(config, files) != first
    with pytest.raises(ValueError, match=f"wanted {first['mine']}"):
        collect(stages, {"mine": tmp_path}, pinned)


def test_licences_of_rows_are_asked_for(stages, tmp_path):
    values = [
        {**row, "l": licence}
        for row, licence in zip(ROWS, ("MIT", "GPL-3.0-only", None, "CC-BY-4.0", "x"), strict=True)
    ]
    (tmp_path / "x.jsonl").write_text(lines(values))
    _, found, rejected, _ = collect(stages, {"mine": tmp_path}, replace(MINE, license="", license_column="l"))
    assert sorted(row["license"] for row in found) == ["CC-BY-4.0", "MIT"]
    assert {row["reason"] for row in rejected} == {"license_not_allowed"}
    with pytest.raises(ValueError, match="ape210k of licence LicenseRef-ape210k, which licenses does not allow; add"):
        SeedsConfig(sets=(APE210K,))


def _question(question, answer, source):
    return rows.problem("seed", question, "", answer, source=source, license="MIT")


LONG = (
    "A train leaves the station at noon with 120 people in it, and at each of the 4 stops on its way 15 people leave it "
    "while 9 people enter. How many people are in the train when it comes to its last station?"
)


def test_copies_and_near_copies_are_merged_into_the_first(stages, tmp_path):
    near = LONG.replace("comes to", "reaches")
    values = [
        (LONG, "96"),
        (f"  {LONG.upper()}", "96.0"),
        (near, "96"),
        (LONG.replace("120", "130"), "106"),
        ("Why?", "1"),
    ]
    (tmp_path / "x.jsonl").write_text(lines([{"n": n, "q": q, "s": f"{n}", "a": a} for n, (q, a) in enumerate(values)]))
    _, found, rejected, out = collect(stages, {"mine": tmp_path}, MINE)
    assert sorted(row["source"] for row in found) == ["mine/0", "mine/3", "mine/4"]
    reasons = {row["source"]: (row["reason"], row["evidence"]) for row in rejected}
    first = next(row["id"] for row in found if row["source"] == "mine/0")
    assert reasons["mine/1"] == ("duplicate_question", f"same as {first} (mine/0)")
    assert reasons["mine/2"] == ("near_duplicate_question", f"like {first} (mine/0)")
    again = stages.out()
    collect_seeds(
        again,
        config=SeedsConfig(sources=(), sets=(MINE,), num_shards=2),
        seed_files=SeedFiles((("mine", str(tmp_path)),)),
    )
    for name in ("kept", "rejected"):
        for path in shards.shard_paths(again / name):
            assert path.read_bytes() == (out / name / path.name).read_bytes()


def test_one_question_with_two_answers_is_a_conflict_that_names_both():
    found = [_question(*row) for row in ((LONG, "96", "a/1"), (LONG + " ", "97", "b/1"), ("Why?", "1", "a/2"))]
    leaving = merge(found, 0.8)
    assert sorted(leaving) == [0, 1]
    assert leaving[0].evidence == f"answer '96', and '97' in {found[1]['id']} (b/1): correct one"
    assert leaving[1].evidence == f"answer '97', and '96' in {found[0]['id']} (a/1): correct one"
    assert {one.reason for one in leaving.values()} == {"conflicting_answers"}


def test_brackets_and_numbers_and_answers_make_another_problem():
    pairs = [
        ("What is $88 \\div (4 \\div 2)$?", "44", "What is $88 \\div 4 \\div 2$?", "11"),
        (LONG, "96", LONG.replace("120", "121"), "96"),
        (LONG, "96", LONG.replace("noon", "dawn"), "95"),
    ]
    for first, answer, second, other in pairs:
        assert merge([_question(first, answer, "a/1"), _question(second, other, "a/2")], 0.8) == {}


def test_chinese_near_copies_are_found():
    question = "学校组织同学们去公园春游，三年级有120人，四年级有135人，每辆车可以坐45人，一共需要多少辆车才能把所有的同学送到？"
    found = [_question(question, "6", "a/1"), _question(question.replace("学校组织", "小学组织"), "6", "a/2")]
    assert merge(found, 0.8)[1].reason == "near_duplicate_question"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a b"}, "SeedSet.name must be letters, digits, dots and dashes"),
        ({"question": ""}, "name the column of the question"),
        ({"style": Style.BOXED, "solution": ""}, "style boxed needs a column for solution"),
        ({"answer": ""}, "style plain needs a column for answer"),
        ({"equation": "e"}, "equation is read for the style chinese, not for plain"),
        ({"license": ""}, "none is no permission"),
        ({"revision": "main"}, "revision must be a commit of 40 hex digits"),
        ({"sha256": "ab"}, "sha256 must be 64 hex digits"),
    ],
)
def test_wrong_sets_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        replace(MINE, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sources": ("gsm8k:test",)}, "of a split for training, got 'gsm8k:test'"),
        ({"sources": ()}, "at least one of sources and sets"),
        ({"sets": (MINE, MINE)}, "has a name twice"),
        ({"jaccard": 0.0}, "jaccard must be above 0"),
        ({"max_characters": 0}, "max_characters must be at least 1"),
    ],
)
def test_wrong_configs_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        SeedsConfig(**fields)


def test_the_catalog_names_who_says_what_the_licence_is():
    assert all(one.evidence and (not one.hub or one.revision) for one in SEED_SETS.values())
