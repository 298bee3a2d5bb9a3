"""Benchmarks: complete, as published, with licence and digest; an altered file is refused."""

import hashlib
import json

import pytest

from corpora import SchemaError, benchmarks
from corpora.benchmarks import BenchmarkProblem, load, load_path
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles, load_all
from corpora.benchmarks.texts import texts_of

SIZES = {
    ("humaneval", "test"): 164,
    **{(f"humanevalpack-{language}", "test"): 164 for language in benchmarks.LANGUAGES},
    ("mbpp", "prompt"): 10,
    ("mbpp", "test"): 500,
    ("mbpp", "validation"): 90,
    ("mbpp", "train"): 374,
    ("gsm8k", "train"): 7473,
    ("gsm8k", "test"): 1319,
}


@pytest.mark.parametrize(("name", "split"), SIZES)
def test_a_split_is_whole_and_its_ids_are_its_own(name, split):
    problems = load(name, split)
    assert len(problems) == SIZES[name, split] == len({problem.id for problem in problems})
    assert {(problem.benchmark, problem.split) for problem in problems} == {(name, split)}
    assert all(problem.prompt and problem.solution for problem in problems)
    assert all(bool(problem.tests and problem.entry_point) == (name != "gsm8k") for problem in problems)


def test_every_benchmark_has_licence_source_and_digests():
    assert {name for name, _ in SIZES} == set(benchmarks.names())
    for file, entry in benchmarks.sources().items():
        assert hashlib.sha256((benchmarks.DATA / file).read_bytes()).hexdigest() == entry["sha256"]
        assert (benchmarks.DATA.parent / entry["license_file"]).read_text().strip()
        assert entry["license"] in ("MIT", "CC-BY-4.0")
        assert entry["source"].startswith("https://")


def test_problems_read_as_published():
    first = load("humaneval", "test")[0]
    assert first.id == "HumanEval/0"
    assert first.prompt.startswith("from typing import List\n\n\ndef has_close_elements(")
    assert "def check(candidate):" in first.tests
    mbpp = {problem.id: problem for problem in load("mbpp", "test")}["MBPP/11"]
    assert mbpp.entry_point == "remove_Occ"
    assert mbpp.tests.splitlines()[0] == 'assert remove_Occ("hello","l") == "heo"'
    assert "\r" not in mbpp.solution
    assert load("gsm8k", "train")[0].answer.endswith("#### 72")
    assert load("humanevalpack-rust", "test")[0].extra["bug_type"] == "missing logic"


def test_references_of_human_eval_pass_their_tests():
    for problem in load("humaneval", "test")[:3]:
        scope = {}
        exec(compile(problem.prompt + problem.solution + problem.tests, problem.id, "exec"), scope)
        scope["check"](scope[problem.entry_point])


def test_what_is_not_shipped_is_read_from_a_file_after_its_digest(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"question": "1 + 1?", "answer": "2\n#### 2"}) + "\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (problem,) = load_path("gsm8k", path, digest)
    assert problem == BenchmarkProblem(
        id="GSM8K/test/0",
        benchmark="gsm8k",
        split="test",
        prompt="1 + 1?",
        solution="2\n#### 2",
        question="1 + 1?",
        answer="2\n#### 2",
    )
    with pytest.raises(ValueError, match=f"sha256 is {digest}, wanted 00"):
        load_path("gsm8k", path, "00")
    path.write_text(json.dumps({"q": "?"}) + "\n")
    with pytest.raises(SchemaError, match="no column 'question'"):
        load_path("gsm8k", path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_unknown_names_say_what_there_is():
    with pytest.raises(ValueError, match="shipped are gsm8k, humaneval, humanevalpack-cpp"):
        load("apps", "test")
    with pytest.raises(ValueError, match="has no split 'train'; it has test"):
        load("humaneval", "train")


def _file(tmp_path, rows, name="mine.jsonl", **columns):
    path = tmp_path / name
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return BenchmarkFile(name="mine", sha256=digest, **columns), BenchmarkFiles((("mine", str(path)),))


def test_a_benchmark_of_the_users_is_read_by_named_columns(tmp_path):
    file, located = _file(tmp_path, [{"task": 7, "q": "1 + 1\u2028?", "a": "2"}], id="task", question="q", answer="a")
    (problem,) = load_all((), (file,), located)
    assert (problem.id, problem.question, problem.prompt, problem.solution) == (
        "mine/7",
        "1 + 1\u2028?",
        "1 + 1\u2028?",
        "2",
    )
    assert len(list(load_all(("mbpp:prompt",), (file,), located))) == 11


def test_a_benchmark_that_is_named_and_absent_is_refused(tmp_path):
    file, _ = _file(tmp_path, [{"q": "?"}], question="q")
    for located in (BenchmarkFiles(), BenchmarkFiles((("mine", str(tmp_path / "gone")),))):
        with pytest.raises(ValueError, match=r"luigi.cfg \[benchmarks\] mine is .*name the file with sha256"):
            list(load_all((), (file,), located))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"p": "?"}, "row 1: no column 'q', wanted text; the row has p"),
        ({"q": [1]}, "row 1: list in column 'q', wanted text"),
        ("[]", "row 1 is a list, wanted an object"),
        ("{", "row 1 is not JSON"),
    ],
)
def test_a_benchmark_file_of_another_form_is_refused_by_row(tmp_path, row, message):
    file, located = _file(tmp_path, [row], question="q")
    with pytest.raises(SchemaError, match=message):
        located.load(file)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "gsm8k", "sha256": "0" * 64, "prompt": "p"}, "must be no shipped benchmark"),
        ({"name": "mine", "sha256": "0" * 63, "prompt": "p"}, "must be 64 hex digits"),
        ({"name": "mine", "sha256": "0" * 64}, "must name a column of prompt, solution"),
    ],
)
def test_wrong_benchmark_files_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        BenchmarkFile(**fields)


def test_every_shipped_test_set_is_kept_out_by_default():
    assert {name.split(":")[0] for name in benchmarks.TEST_SETS} == set(benchmarks.names())
    assert all(load(*name.split(":")) for name in benchmarks.TEST_SETS)


def test_the_texts_of_a_problem_hold_docstring_and_program_of_their_own():
    texts = texts_of(load("humaneval", "test")[0])
    assert list(texts) == ["prompt", "docstring", "solution", "program", "tests"]
    assert texts["docstring"].strip().startswith("Check if in given list")
    assert '"""' not in texts["program"]
    assert texts["program"].endswith(texts["solution"])
    assert list(texts_of(load("gsm8k", "test")[0])) == ["prompt", "solution"]
