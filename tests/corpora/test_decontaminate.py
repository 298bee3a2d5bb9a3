"""Decontamination: planted benchmark text is always caught, text that shares no run never is, each decision is told."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import benchmarks, ngrams, records
from corpora.decontaminate import DecontaminateConfig, decontaminate_conversations, decontaminate_corpus, judge
from corpora.engine import Engine
from corpora.ngrams import Index

CONFIG = DecontaminateConfig()
INDEX = Index.build(CONFIG.benchmarks, CONFIG.ngram, CONFIG.shortest)
PROBLEMS = [problem for name in CONFIG.benchmarks for problem in benchmarks.load(*name.split(":"))]
PARTS = {(part.problem, part.field): part for part in INDEX.parts if part.runs}
BY_ID = {problem.id: problem for problem in PROBLEMS}
TEXTS = [(part, getattr(BY_ID[problem], field)) for (problem, field), part in PARTS.items()]
ORDINARY = "import os\n\n\nclass Reader:\n    def read(self, name):\n        return os.read(self.handles[name], 4096)\n"


def hits(index, *texts):
    return list(index.hits(pa.chunked_array([pa.array(texts, pa.string())])))


def spans(index, text):
    return [(hit.gram, hit.start, hit.end) for hit in hits(index, text)]


@given(
    planted=st.sampled_from(TEXTS),
    before=st.sampled_from(["", ORDINARY, "é漢 ", "x" * 5000 + "\n"]),
    after=st.sampled_from(["", ORDINARY, " fin"]),
    disguise=st.sampled_from([str, str.upper, lambda text: text.replace("\n", "\n\n    ").replace("(", " (")]),
)
def test_planted_text_is_always_caught(planted, before, after, disguise):
    part, text = planted
    text = text if part.short else disguise(text)  # a short part counts as exact text only
    assert judge(INDEX, spans(INDEX, f"{before}\n{text}\n{after}"), frozenset(), CONFIG)


def test_nearly_every_part_of_every_problem_is_looked_for():
    assert {part.problem for part in PARTS.values()} == BY_ID.keys()
    assert INDEX.too_short <= 10


words = st.lists(st.sampled_from([f"w{i}" for i in range(12)]), min_size=10, max_size=60)


@given(benchmark=words, text=words, ngram=st.integers(3, 10))
def test_hits_are_exactly_the_shared_runs(benchmark, text, ngram):
    def runs(tokens):
        return {tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)}

    index = Index([("b", "p", "prompt", " ".join(benchmark))], ngram, 3)
    found = hits(index, "+".join(text))
    assert {tuple(index.grams[hit.gram].decode().split()) for hit in found} == runs(benchmark) & runs(text)
    for hit in found:
        assert "+".join(text)[hit.start : hit.end].split("+") == index.grams[hit.gram].decode().split()


@given(st.sampled_from(PROBLEMS), st.integers(1, 9))
def test_nine_words_in_a_row_are_never_enough(problem, width):
    tokens = [word.decode() for word in ngrams.words(problem.solution.encode())]
    broken = " zqx ".join(" ".join(tokens[i : i + width]) for i in range(0, len(tokens), width))
    assert hits(Index([("b", "p", "solution", problem.solution)], 10, 10), broken) == []


def test_short_parts_count_only_as_exact_text_and_the_shortest_not_at_all():
    index = Index(
        [("b", "p", "solution", "    return sorted(set(a) & set(b))\n"), ("b", "q", "solution", "return x")], 10, 5
    )
    assert index.too_short == 1
    assert len(hits(index, "y = 1\nreturn  sorted(set(a) &\n   set(b))")) == 1
    assert hits(index, "return sorted(set(a) | set(b))", "return x") == []


def test_runs_of_numbers_are_not_evidence():
    index = Index([("b", "p", "tests", "assert f([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) == 3")], 10, 5)
    assert hits(index, "TABLE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]") == []
    assert len(hits(index, "assert f([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) == 3")) == 2


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
    assert ("HumanEval/0", "prompt") in {(row["problem"], row["rule"].rsplit(", ")[-1]) for row in ledger}
    for row in ledger:
        assert dirty["text"][row["offset"] :].startswith(row["ngram"])
    assert (metrics["kept"], metrics["reasons"], metrics["problems_found"] >= 1) == (1, {"contaminated": 1}, True)
    assert {path.name for path in out.iterdir()} == {"kept", "rejected", "ledger.parquet"}


def test_runs_in_many_training_documents_are_ordinary_but_a_whole_problem_never_is(stages, document):
    config = DecontaminateConfig(boilerplate_documents=3)
    common = "check some edge cases that are easy to work out by hand"
    rows = [document(f"# {common}\nx{i} = {i}\n", path=f"{i}.py") for i in range(5)]
    rows += [document(PROBLEMS[0].prompt, path=f"whole-{i}.py") for i in range(5)]
    out, metrics, ledger = run(stages, rows, config)
    assert sorted(row["path"] for row in stages.kept(out)) == [f"{i}.py" for i in range(5)]
    ignored = [row for row in ledger if row["decision"] != "dropped"]
    assert "not counted: in 5 training documents" in {row["decision"] for row in ignored}
    assert metrics["boilerplate_runs"] == len(ignored) > 0


def test_held_out_documents_are_searched_but_do_not_make_a_run_ordinary(stages, document):
    config = DecontaminateConfig(boilerplate_documents=3)
    text = "# check some edge cases that are easy to work out by hand\n"
    rows = [document(text, path=f"{i}.py", split="heldout") for i in range(5)]
    out, metrics, _ = run(stages, rows, config)
    assert (metrics["kept"], metrics["boilerplate_runs"]) == (0, 0)
    assert stages.kept(out) == []


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
        ({"boilerplate_documents": 0}, "boilerplate_documents must be at least 1, got 0"),
        ({"verbatim_share": 0.0}, "verbatim_share must be above 0 and at most 1, got 0.0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        DecontaminateConfig(**settings)
