"""Decontamination: planted benchmark text is always caught, text that shares no run never is, each decision is told."""

import hashlib
import json
import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import benchmarks, ngrams, records, renaming
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles
from corpora.benchmarks.texts import texts_of
from corpora.decontaminate import (
    DecontaminateConfig,
    Pass,
    decontaminate_conversations,
    decontaminate_corpus,
    index_of,
)
from corpora.engine import Engine
from corpora.ngrams import Index, Sizes, Text
from corpora.overlaps import judge

CONFIG = DecontaminateConfig(benchmarks=("humaneval:test", "mbpp:test", "humanevalpack-rust:test"))
INDEX, ITEMS = index_of(Pass("documents", CONFIG, BenchmarkFiles()))
PROBLEMS = [problem for name in CONFIG.benchmarks for problem in benchmarks.load(*name.split(":"))]
TEXT = {(problem.id, field): text for problem in PROBLEMS for field, text in texts_of(problem).items()}
PARTS = {(part.problem, part.field): part for part in INDEX.parts if part.runs and part.rule != "renamed"}
TEXTS = [(part, TEXT[key]) for key, part in PARTS.items()]
COMMON = "Check if in given list of numbers, are any two numbers closer"
"""A run of HumanEval/0."""
ORDINARY = "import os\n\n\nclass Reader:\n    def read(self, name):\n        return os.read(self.handles[name], 4096)\n"


def index_for(*texts, ngram=10, shortest=5, renamed=0, scaffold=5):
    made = [Text("b", f"p{number}", "solution", text, code=True) for number, text in enumerate(texts)]
    return Index(made, Sizes(ngram=ngram, shortest=shortest, renamed=renamed, scaffold=scaffold))


def hits(index, *texts):
    return list(index.hits(pa.chunked_array([pa.array(texts, pa.string())])))


def spans(index, text):
    return [(hit.gram, hit.start, hit.end) for hit in hits(index, text)]


@given(
    planted=st.sampled_from(TEXTS),
    before=st.sampled_from(["", ORDINARY, "é漢 ", "x" * 5000 + "\n"]),
    after=st.sampled_from(["", ORDINARY, " fin"]),
    disguise=st.sampled_from(
        [
            str,
            str.upper,
            lambda text: text.replace("\n", "\n\n    ").replace("(", " ("),
            lambda text: json.dumps(text)[1:-1],
        ]
    ),
)
def test_planted_text_is_always_caught(planted, before, after, disguise):
    text = disguise(planted[1])
    assert judge(INDEX, spans(INDEX, f"{before}\n{text}\n{after}"), frozenset(), CONFIG)


def test_nearly_every_part_of_every_problem_is_looked_for():
    assert {part.problem for part in PARTS.values()} == {problem.id for problem in PROBLEMS}
    assert INDEX.too_short <= 15
    assert ITEMS == {"humaneval": 164, "mbpp": 500, "humanevalpack-rust": 164}


def test_what_stands_around_all_programs_of_a_benchmark_is_not_looked_for():
    scaffold = "import java.util.*; import java.lang.*; class Solution { public int solve(List<Integer> values) {"
    texts = [f"{scaffold} return values.get({number}) + m{number} * n{number} - o{number} }}" for number in range(6)]
    assert hits(index_for(*texts), scaffold) == []
    assert len(hits(index_for(*texts, scaffold=6), scaffold)) > 0
    assert {hit.text for hit in hits(index_for(*texts), *texts)} == set(range(6))


RENAMED = """
    total = 0
    for item in values:
        if item > total and item % 3 == 0:
            total += abs(item - total) * len(values)
    return total
"""


def test_a_solution_with_other_names_is_found_and_other_code_is_not():
    index = index_for(RENAMED, renamed=24, shortest=10)
    names = {"total": "bestSoFar", "item": "X", "values": "some_input"}

    def renamed(text, table):
        return re.sub(r"\w+", lambda match: table.get(match[0], match[0]), text)

    copy = renamed(RENAMED, names)
    (hit, *_) = hits(index, f"x = 1\n{copy.replace(': ', ':').replace('    ', chr(9))}")
    assert index.parts[index.members(hit.gram)[0]].rule == "renamed"
    assert hits(index, renamed(RENAMED, names | {"item": "bestSoFar"})) == []  # two names became one
    assert hits(index, copy.replace("abs", "int")) == []
    assert hits(index, copy.replace("3", "4").replace("+=", "-=")) == []
    assert hits(index, renamed(ORDINARY, {})) == []


def test_what_is_found_by_its_words_is_not_told_again_as_renamed():
    index = index_for(RENAMED, renamed=24)
    overlaps = judge(index, spans(index, RENAMED), frozenset(), CONFIG)
    assert [overlap.rule for overlap in overlaps] == ["verbatim"]
    assert {index.rule(gram) for gram, _, _ in spans(index, RENAMED)} == {"ngram", "renamed"}


@given(st.text(st.characters(codec="utf-8"), max_size=200) | st.sampled_from([text for _, text in TEXTS]))
def test_the_kernel_and_python_cut_texts_alike(text):
    content = text.encode()
    assert len(INDEX._tokens(content)[0]) == len(ngrams.words(content))
    assert len(INDEX._tokens(content)[2]) == len(renaming.tokens(content))


words = st.lists(st.sampled_from([f"word{i}" for i in range(12)]), min_size=10, max_size=60)


@given(benchmark=words, text=words, ngram=st.integers(3, 10))
def test_hits_are_exactly_the_shared_runs(benchmark, text, ngram):
    def runs(tokens):
        return {tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)}

    index = index_for(" ".join(benchmark), ngram=ngram, shortest=3)
    found = hits(index, "+".join(text))
    assert {tuple(index.text(hit.gram).split()) for hit in found} == runs(benchmark) & runs(text)
    for hit in found:
        assert "+".join(text)[hit.start : hit.end].split("+") == index.text(hit.gram).split()


@given(st.sampled_from(PROBLEMS), st.integers(1, 9))
def test_nine_words_in_a_row_are_never_enough(problem, width):
    tokens = [word.decode() for word in ngrams.words(problem.solution.encode())]
    broken = " zqx ".join(" ".join(tokens[i : i + width]) for i in range(0, len(tokens), width))
    assert hits(index_for(problem.solution, shortest=10), broken) == []


def test_short_parts_count_only_as_exact_text_and_the_shortest_not_at_all():
    index = index_for("    return sorted(set(a) & set(b))\n", "return sorted(set(a) & set(b), key=f)", "return x")
    assert index.too_short == 1
    found = hits(
        index, "y = 1\nreturn  sorted( set(a)&\n   set(b) )", '["\\treturn sorted(set(a) &\\n set(b), key = f)"]'
    )
    assert [(hit.text, hit.start, index.members(hit.gram)) for hit in found] == [(0, 6, [0]), (1, 4, [0]), (1, 4, [1])]
    assert hits(index, "return sorted(set(a) | set(b))", "return x", "return sorted(set(a) & set(bc))") == []


def test_runs_of_numbers_and_letters_are_not_evidence():
    index = index_for("assert sums([1, 2, 3, 4, 5, 6, 7, a, b, c, d]) == three and four")
    assert hits(index, "TABLE = [1, 2, 3, 4, 5, 6, 7, a, b, c, d]", "x = [sums, 3, 4, 5, 6, 7, a, b, c, d]") == []
    assert len(hits(index, "7, a, b, c, d] == three and four")) == 0
    assert len(hits(index, "5, 6, 7, a, b, c, d] == three and four")) == 1


def run(stages, rows, config=CONFIG):
    out = stages.out()
    metrics = decontaminate_corpus(out, documents=stages.documents(rows), config=config, engine=Engine())
    return out, metrics, pq.read_table(out / "ledger.parquet").to_pylist()


def test_a_document_with_a_problem_goes_and_the_ledger_says_why(stages, document):
    problem = PROBLEMS[0]
    prefix = "# héllo\n"
    dirty = document(prefix + problem.prompt + problem.solution, path="dirty.py")
    out, metrics, ledger = run(stages, [document(ORDINARY, path="clean.py"), dirty])
    assert [row["path"] for row in stages.kept(out)] == ["clean.py"]
    (rejected,) = stages.rejected(out)
    assert (rejected["id"], rejected["reason"]) == (dirty["id"], "contaminated")
    assert rejected["evidence"].startswith("humaneval HumanEval/0 ")
    assert {row["decision"] for row in ledger} == {"dropped"}
    assert ("HumanEval/0", "prompt", "verbatim", 1.0) in {
        (row["problem"], row["field"], row["rule"], row["share"]) for row in ledger
    }
    for row in ledger:
        assert dirty["text"][row["offset"] :].startswith(row["ngram"])
    whole = next(row for row in ledger if row["field"] == "prompt")
    span = dirty["text"][whole["offset"] : whole["offset"] + whole["length"]]
    shared, prompt = ngrams.words(span.encode()), ngrams.words(problem.prompt.encode())
    assert shared == prompt[: len(shared)]
    assert len(shared) > 30  # up to the examples' numbers, not the ten words of a run alone
    counted = metrics["benchmarks"]["humaneval"]
    assert (counted["items"], counted["found"], counted["documents"]) == (
        164,
        len({r["problem"] for r in ledger if r["benchmark"] == "humaneval"}),
        1,
    )
    assert counted["rules"]["verbatim"] >= 1
    assert metrics["benchmarks"]["mbpp"] == {"items": 500, "found": 0, "documents": 0, "rules": {}}
    assert (metrics["kept"], metrics["reasons"], metrics["problems_found"] >= 1) == (1, {"contaminated": 1}, True)
    assert {path.name for path in out.iterdir()} == {"kept", "rejected", "ledger.parquet"}


def test_runs_in_many_training_documents_are_ordinary_but_a_whole_problem_never_is(stages, document):
    config = replace(CONFIG, boilerplate_documents=3)
    rows = [document(f"# {COMMON}\nx{i} = {i}\n", path=f"{i}.py") for i in range(5)]
    rows += [document(PROBLEMS[0].prompt, path=f"whole-{i}.py") for i in range(5)]
    out, metrics, ledger = run(stages, rows, config)
    assert sorted(row["path"] for row in stages.kept(out)) == [f"{i}.py" for i in range(5)]
    ignored = [row for row in ledger if row["decision"] != "dropped"]
    assert "not counted: in 5 training documents" in {row["decision"] for row in ignored}
    assert metrics["boilerplate_runs"] == len(ignored) > 0


def test_held_out_documents_are_searched_but_do_not_make_a_run_ordinary(stages, document):
    config = replace(CONFIG, boilerplate_documents=3)
    text = f"# {COMMON}\n"
    rows = [document(text, path=f"{i}.py", split="heldout") for i in range(5)]
    out, metrics, _ = run(stages, rows, config)
    assert (metrics["kept"], metrics["boilerplate_runs"]) == (0, 0)
    assert stages.kept(out) == []


def test_the_number_of_shards_changes_nothing(stages, document):
    """What is ordinary is counted over all shards."""
    config = replace(CONFIG, boilerplate_documents=3)
    rows = [document(f"# {COMMON}\nx{i} = {i}\n", path=f"{i}.py") for i in range(4)]
    rows += [document(problem.prompt, path=f"{problem.id}.py") for problem in PROBLEMS[3:9]]
    made = []
    for num_shards in (1, 3):
        out = stages.out()
        documents = stages.documents(rows, num_shards)
        metrics = decontaminate_corpus(out, documents=documents, config=config, engine=Engine())
        kept = sorted(row["id"] for row in stages.kept(out))
        made.append((metrics, kept, (out / "ledger.parquet").read_bytes()))
    assert made[0] == made[1]
    assert made[0][0]["boilerplate_runs"] > 0
    assert made[0][0]["rejected"] == 6


def test_a_benchmark_of_the_users_is_kept_out(stages, document, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"q": "How many violet elephants would fit into the third wagon of a train?"}) + "\n")
    file = BenchmarkFile(name="mine", sha256=hashlib.sha256(path.read_bytes()).hexdigest(), question="q")
    config = replace(CONFIG, benchmarks=(), files=(file,))
    rows = [
        document("# how many violet elephants\n# would fit into the third wagon of a train\n"),
        document("x", path="b"),
    ]
    source = stages.documents(rows)
    located = BenchmarkFiles((("mine", str(path)),))
    metrics = decontaminate_corpus(
        stages.out(), documents=source, config=config, engine=Engine(), benchmark_files=located
    )
    assert metrics["benchmarks"] == {"mine": {"items": 1, "found": 1, "documents": 1, "rules": {"ngram": 1}}}
    with pytest.raises(ValueError, match=r"\[benchmarks\] mine is not set"):
        decontaminate_corpus(stages.out(), documents=source, config=config, engine=Engine())


def test_conversations_are_searched_in_messages_and_tests(stages):
    def row(name, prompt, answer, tests=None):
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        return {"id": name, "kind": "function", "messages": messages, "tests": tests, "source": "s", "license": "MIT"}

    problem = PROBLEMS[0]
    rows = [
        row("clean", "Say hello.", "hello"),
        row("prompt", problem.prompt, "pass"),
        row("answer", "Do it.", problem.solution),
        row("tests", "Do it.", "pass", problem.tests),
    ]
    out = stages.out()
    metrics = decontaminate_conversations(out, conversations=stages.conversations(rows), config=CONFIG, engine=Engine())
    assert [kept["id"] for kept in stages.kept(out, records.CONVERSATION)] == ["clean"]
    assert sorted(rejected["id"] for rejected in stages.rejected(out)) == ["answer", "prompt", "tests"]
    assert "bytes" not in metrics


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ngram": 3}, "needs 1 <= shortest <= ngram <= 64, got 5 and 3"),
        ({"benchmarks": ("humaneval",)}, "must be written name:split, got 'humaneval'"),
        ({"renamed_tokens": -1}, "renamed_tokens must be at least 0, got -1"),
        ({"boilerplate_documents": 0}, "boilerplate_documents must be at least 1, got 0"),
        ({"verbatim_share": 0.0}, "verbatim_share must be above 0 and at most 1, got 0.0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        DecontaminateConfig(**settings)
