"""Tokenization: token files decode to their documents, each ends in one end-of-document, and the trace leads back."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpora import shards
from corpora.engine import Engine
from corpora.indexed import IndexedReader
from corpora.tokenize import TokenizeConfig, prefix_name, tokenize
from corpora.tokenizer import Tokenizer, TrainTokenizerConfig, train_tokenizer


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    from corpora import records

    root = tmp_path_factory.mktemp("base")
    rows = [{"id": "a", "text": "def f(x):\n    return x\n" * 5, "split": "train"}]
    shards.write(root / "documents" / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    train_tokenizer(root, documents=root / "documents", config=TrainTokenizerConfig(vocab_size=300))
    return root


@pytest.fixture
def rows(document):
    code = [document(f"def f{n}():\n    return '{n}é<|endoftext|>'\n", path=f"{n}.py") for n in range(7)]
    heldout = [document("x = 1\n", path="h.py", repository="held", split="heldout")]
    text = [document("Some words.\n", path="README.md", language="English", domain="text")]
    return [*code, *heldout, *text]


def run(stages, rows, base, *, config=None, workers=1, out=None):
    out = out or stages.out()
    documents = stages.documents(rows, num_shards=3)
    return out, tokenize(
        out, documents=documents, base=base, config=config or TokenizeConfig(), engine=Engine(workers=workers)
    )


def test_every_document_decodes_and_is_traced(stages, rows, base):
    out, metrics = run(stages, rows, base)
    index = shards.read_json(out / "index.json")
    tokenizer = Tokenizer.load(base / "tokenizer")
    assert (index["vocab_size"], index["eod"]) == (tokenizer.vocab_size, tokenizer.eod_id)
    assert [prefix["name"] for prefix in index["prefixes"]] == [
        "code_python_heldout",
        "code_python_train",
        "text_english_train",
    ]
    trace = pq.read_table(out / "documents.parquet").to_pylist()
    by_id = {row["id"]: row for row in rows}
    assert len(trace) == len(rows) == metrics["kept"]
    for prefix in index["prefixes"]:
        reader = IndexedReader(out / prefix["name"])
        found = [row for row in trace if row["prefix"] == prefix["name"]]
        assert [row["row"] for row in found] == list(range(prefix["documents"])) == list(range(len(reader)))
        assert np.diff(reader.document_indices).tolist() == [1] * len(reader)
        assert prefix["tokens"] == len(reader.tokens) == sum(row["tokens"] for row in found)
        assert prefix["bytes"] == sum(len(by_id[row["id"]]["text"].encode()) for row in found)
        for row in found:
            *ids, last = reader.get(row["row"]).tolist()
            source = by_id[row["id"]]
            assert last == tokenizer.eod_id
            assert tokenizer.eod_id not in ids
            assert tokenizer.decode(ids) == source["text"]
            assert (row["repository"], row["path"], row["revision"]) == (source["repository"], source["path"], "1")
            assert prefix["split"] == source["split"]
    assert sorted(path.suffix for path in out.iterdir()) == [".bin"] * 3 + [".idx"] * 3 + [".json", ".parquet"]


def test_two_workers_write_the_same_bytes(stages, rows, base, same_bytes):
    same_bytes(run(stages, rows, base)[0], run(stages, rows, base, workers=2)[0])


def test_a_killed_run_is_taken_up(stages, rows, base, same_bytes, monkeypatch):
    whole, _ = run(stages, rows, base)
    out = stages.out()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("corpora.tokenize._write_trace", killed)
    with pytest.raises(KeyboardInterrupt):
        run(stages, rows, base, out=out)
    monkeypatch.undo()
    run(stages, rows, base, out=out)
    same_bytes(whole, out)


def test_a_run_killed_while_it_cleans_up_is_taken_up(stages, rows, base, same_bytes, monkeypatch):
    whole, metrics = run(stages, rows, base)
    out = stages.out()

    def killed(folder, **_):
        for path in folder.rglob("*.bin"):
            path.unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run(stages, rows, base, out=out)
    monkeypatch.undo()
    assert run(stages, rows, base, out=out)[1] == metrics
    same_bytes(whole, out)


def test_without_an_end_of_document(stages, rows, base):
    out, _ = run(stages, rows, base, config=TokenizeConfig(append_eod=False))
    assert Tokenizer.load(base / "tokenizer").eod_id not in IndexedReader(out / "code_python_train").tokens


def test_nothing_to_tokenize_is_no_error(stages, base):
    out, metrics = run(stages, [], base)
    assert metrics == {"kept": 0, "tokens": 0, "bytes": 0, "prefixes": {}}
    assert shards.read_json(out / "index.json")["prefixes"] == []


def test_names_of_prefixes():
    assert prefix_name("code", "Jupyter Notebook", "train") == "code_jupyter-notebook_train"
