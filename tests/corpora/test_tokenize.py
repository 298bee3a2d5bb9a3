"""Tokenization: token files decode to their documents, each ends in one end-of-document, and the trace leads back."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpora import shards
from corpora.code.fim import FimConfig, apply_fim
from corpora.code.order import Level, OrderConfig, order_repositories
from corpora.engine import Engine
from corpora.indexed import IndexedReader
from corpora.layout import TokenizeConfig
from corpora.markers import Markers
from corpora.tokenize import prefix_name, tokenize
from corpora.tokenizer import SPECIAL_TOKENS, Tokenizer


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
            assert (row["license"], row["mark"], row["start"]) == ("MIT", "", reader.pointers[row["sequence"]] // 4)
    names = [f"{prefix['name']}{suffix}" for prefix in index["prefixes"] for suffix in (".bin", ".idx")]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*names, "documents.parquet", "index.json", "tokenizer"]
    )


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
    assert metrics == {"kept": 0, "documents": 0, "tokens": 0, "bytes": 0, "prefixes": {}}
    assert shards.read_json(out / "index.json")["prefixes"] == []


def test_names_of_prefixes():
    assert prefix_name("code", "Jupyter Notebook", "train") == "code_jupyter-notebook_train"


TEXTS = {
    "pkg/a.py": "from .b import f\nprint('<|file_sep|>é')\n",
    "pkg/b.py": "def f():\n    return '<|fim_middle|>'\n",
    "README.md": "# A package\n",
}


@pytest.fixture
def repository(document):
    rows = [document(text, path=path, repository="shop") for path, text in TEXTS.items()]
    rows[2]["language"] = "Markdown"
    return [*rows, document("x = 1\n", path="x.py", repository="held", split="heldout")]


def arranged(stages, rows, *, level=Level.REPOSITORY, max_part_bytes=10**6, rate=0.0, spm_rate=0.5):
    ordered, out = stages.out(), stages.out()
    order = OrderConfig(level=level, max_part_bytes=max_part_bytes)
    order_repositories(ordered, documents=stages.documents(rows, 1), config=order, engine=Engine())
    apply_fim(out, documents=ordered, config=FimConfig(rate=rate, spm_rate=spm_rate), engine=Engine())
    return out


def tokens_of(stages, documents, base, prefix="code_python_train", **config):
    """Token ids of each document of a prefix, sequence by sequence, special tokens by name."""
    out = stages.out()
    tokenize(out, documents=documents, base=base, config=TokenizeConfig(**config), engine=Engine())
    tokenizer, reader = Tokenizer.load(base / "tokenizer"), IndexedReader(out / prefix)
    texts = [tokenizer.decode(reader.get(n).tolist()) for n in range(len(reader))]
    special = tokenizer.vocab_size - len(SPECIAL_TOKENS)
    return out, texts, [[int(t) for t in reader.get(n) if t >= special] for n in range(len(reader))], reader


def test_a_part_of_a_repository_is_one_document_with_its_marks(stages, repository, base):
    _, texts, specials, reader = tokens_of(stages, arranged(stages, repository), base)
    name = Tokenizer.load(base / "tokenizer").token_id
    assert texts == [
        "<|repo_name|>shop\n<|file_sep|>README.md\n# A package\n",
        f"<|file_sep|>pkg/b.py\n{TEXTS['pkg/b.py']}",
        f"<|file_sep|>pkg/a.py\n{TEXTS['pkg/a.py']}<|endoftext|>",
    ]
    separator = name("<|file_sep|>")
    assert specials == [[name("<|repo_name|>"), separator], [separator], [separator, name("<|endoftext|>")]]
    assert reader.document_indices.tolist() == [0, 3]


def test_a_part_that_was_cut_names_its_repository_again(stages, repository, base):
    _, texts, _, reader = tokens_of(stages, arranged(stages, repository, max_part_bytes=40), base)
    assert [text.startswith("<|repo_name|>shop\n") for text in texts] == [True] * 2
    assert [text.endswith("<|endoftext|>") for text in texts] == [True] * 2
    assert reader.document_indices.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("spm_rate", "wanted"), [(0.0, "psm"), (1.0, "spm")])
def test_the_middle_is_moved_with_tokens_that_no_text_can_spell(stages, repository, base, spm_rate, wanted):
    documents = arranged(stages, repository, level=Level.FILE, rate=1.0, spm_rate=spm_rate)
    out, texts, specials, _ = tokens_of(stages, documents, base)
    trace = [
        row for row in pq.read_table(out / "documents.parquet").to_pylist() if row["prefix"] == "code_python_train"
    ]
    name = Tokenizer.load(base / "tokenizer").token_id
    roles = [name(f"<|fim_{role}|>") for role in ("prefix", "suffix", "middle")]
    assert specials == [[*roles, name("<|endoftext|>")]] * 2
    for row, text in zip(trace, texts, strict=True):
        source, (start, end) = TEXTS[row["path"]], (row["fim_start"], row["fim_end"])
        prefix, middle, suffix = source[:start], source[start:end], source[end:]
        psm = f"<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>{middle}<|endoftext|>"
        spm = f"<|fim_prefix|><|fim_suffix|>{suffix}<|fim_middle|>{prefix}{middle}<|endoftext|>"
        assert (row["fim"], text) == (wanted, psm if wanted == "psm" else spm)


def test_files_alone_and_nothing_moved_are_the_bytes_of_unarranged_documents(stages, repository, base):
    plain, _, _, _ = tokens_of(stages, stages.documents(repository, 1), base)
    same, _, _, _ = tokens_of(stages, arranged(stages, repository, level=Level.FILE), base)
    assert {path.name: path.read_bytes() for path in plain.glob("*.*")} == {
        path.name: path.read_bytes() for path in same.glob("*.*")
    }


def test_marks_as_text_and_no_marks(stages, repository, base):
    texts = tokens_of(stages, arranged(stages, repository), base, markers=Markers.TEXT)[1]
    assert texts[0] == "#README.md\n# A package\n"
    assert tokens_of(stages, arranged(stages, repository), base, markers=Markers.NONE)[1][0] == "# A package\n"


def test_held_out_documents_are_marked_but_never_moved(stages, repository, base):
    documents = arranged(stages, repository, rate=1.0)
    texts = tokens_of(stages, documents, base, prefix="code_python_heldout")[1]
    assert texts == ["<|repo_name|>held\n<|file_sep|>x.py\nx = 1\n<|endoftext|>"]


def spelt(base, folder, names):
    """Copy a base whose special tokens are called otherwise."""
    content = (base / "tokenizer" / "tokenizer.json").read_text()
    for old, new in names.items():
        content = content.replace(json.dumps(old), json.dumps(new))
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text(content)
    return folder


def test_qwen_uses_its_free_slots(stages, repository, base, tmp_path):
    slots = {token: f"<|extra_{n}|>" for n, token in enumerate(SPECIAL_TOKENS[3:])}
    texts = tokens_of(stages, arranged(stages, repository, rate=1.0, spm_rate=0.0), spelt(base, tmp_path, slots))[1]
    assert texts[0].startswith("<|extra_4|>shop\n<|extra_5|>README.md\n<|extra_0|>")


def test_a_base_without_the_tokens_is_refused_by_name(stages, repository, base, tmp_path):
    bare = spelt(base, tmp_path, {token: f"<|other_{n}|>" for n, token in enumerate(SPECIAL_TOKENS[3:])})
    with pytest.raises(
        ValueError, match=r"no special tokens for fill-in-the-middle: set FimConfig.rate to 0.*fim_prefix"
    ):
        tokens_of(stages, arranged(stages, repository, level=Level.FILE, rate=1.0), bare)
    with pytest.raises(ValueError, match=r"no special tokens for repositories.*TokenizeConfig.markers to text or none"):
        tokens_of(stages, arranged(stages, repository), bare)
    texts = tokens_of(stages, arranged(stages, repository), bare, markers=Markers.TEXT)[1]
    assert texts[-1].startswith("#pkg/a.py\nfrom .b")


def test_arranged_shards_join_to_the_same_bytes(stages, repository, document, base, same_bytes):
    rows = [*repository, *(document(f"y = {n}\n", path=f"{n}.py", repository=f"r{n}") for n in range(9))]
    source, moved = stages.out(), stages.out()
    documents = stages.documents(sorted(rows, key=lambda row: row["repository"]), 1)
    order_repositories(source, documents=documents, config=OrderConfig(), engine=Engine())
    apply_fim(moved, documents=source, config=FimConfig(rate=0.5), engine=Engine())
    outs = [stages.out(), stages.out()]
    for out, workers in zip(outs, (1, 2), strict=True):
        tokenize(out, documents=moved, base=base, config=TokenizeConfig(), engine=Engine(workers=workers))
    same_bytes(*outs)
    trace = pq.read_table(outs[0] / "documents.parquet").to_pylist()
    for prefix in ("code_python_train", "code_python_heldout"):
        reader, found = IndexedReader(outs[0] / prefix), [row for row in trace if row["prefix"] == prefix]
        assert [row["sequence"] for row in found] == list(range(len(reader)))
        assert [row["start"] for row in found] == (reader.pointers // 4).tolist()
        assert np.bincount([row["row"] for row in found]).tolist() == np.diff(reader.document_indices).tolist()
