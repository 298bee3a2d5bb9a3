"""Tracing: every token of a prefix leads to its file and to the very character, wherever the layout put it."""

import pytest

from corpora import SchemaError, trace
from corpora.code.fim import FimConfig, apply_fim
from corpora.code.order import Level, OrderConfig, order_repositories
from corpora.engine import Engine
from corpora.indexed import IndexedReader
from corpora.layout import TokenizeConfig
from corpora.markers import Markers
from corpora.tokenize import tokenize
from corpora.tokenizer import Tokenizer

TEXTS = {
    "pkg/a.py": "from .b import f\n\n\nclass É:\n    x = '<|fim_middle|>'\n",
    "pkg/b.py": "def f():\n    return 'naïve 日本 <|endoftext|>'\n",
    "README.md": "# A package\n",
}


def write(stages, document, base, *, level=Level.REPOSITORY, markers=Markers.TOKENS, **fim):
    rows = [document(text, path=path, repository="shop", revision=f"commit of {path}") for path, text in TEXTS.items()]
    ordered, moved, out = stages.out(), stages.out(), stages.out()
    order_repositories(ordered, documents=stages.documents(rows, 1), config=OrderConfig(level=level), engine=Engine())
    apply_fim(moved, documents=ordered, config=FimConfig(**fim), engine=Engine())
    tokenize(out, documents=moved, base=base, config=TokenizeConfig(markers=markers), engine=Engine())
    return out / "code_python_train"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"level": Level.FILE},
        {"rate": 1.0, "spm_rate": 0.0},
        {"rate": 1.0, "spm_rate": 1.0},
        {"rate": 1.0, "markers": Markers.TEXT},
        {"rate": 1.0, "level": Level.FILE},
        {"markers": Markers.TEXT},
        {"markers": Markers.NONE},
    ],
    ids=str,
)
def test_every_token_leads_to_its_character(stages, document, base, options):
    """Characters found, put in order, are the file: each of them once."""
    prefix = write(stages, document, base, **options)
    found, tracer = {path: {} for path in TEXTS}, trace.Tracer(prefix)
    for offset in range(len(IndexedReader(prefix).tokens)):
        place = tracer.locate(offset, around=0)
        assert place.text == TEXTS[place.file["path"]]
        assert (place.file["revision"], place.file["license"]) == (f"commit of {place.file['path']}", "MIT")
        if place.character is not None and "\ufffd" not in place.token:
            assert place.text.startswith(place.token, place.character)
            assert place.line == place.text[: place.character].count("\n") + 1
            found[place.file["path"]].update(enumerate(place.token, start=place.character))
    for path, characters in found.items():
        ascii_only = {index: mark for index, mark in enumerate(TEXTS[path]) if mark.isascii()}
        assert {index: mark for index, mark in characters.items() if mark.isascii()} == ascii_only


def test_marks_are_of_no_file(stages, document, base):
    prefix = write(stages, document, base, rate=1.0)
    tokenizer = Tokenizer.load(base / "tokenizer")
    reader, tracer = IndexedReader(prefix), trace.Tracer(prefix)
    special = [n for n, token in enumerate(reader.tokens) if tokenizer.decode([token]).startswith("<|")]
    assert {tracer.locate(offset).role for offset in special} == {"mark"}
    assert tracer.locate(1).role == "mark"  # the name of the repository
    assert tracer.locate(len(reader.tokens) - 1).token == "<|endoftext|>"


def test_the_command_prints_file_commit_and_licence(stages, document, base, capsys):
    prefix = write(stages, document, base, level=Level.FILE)
    assert trace.main([str(prefix), "0", "--around", "4"]) == 0
    printed = capsys.readouterr().out
    for wanted in ("pkg/a.py, line 1, character 0 (text)", "shop (fixture)", "commit of pkg/a.py", "MIT", "→f←"):
        assert wanted in printed


def test_control_characters_do_not_reach_the_terminal(stages, document, base, capsys):
    out = stages.out()
    documents = stages.documents([document("a\x1b[31mb\n", path="\x1b]0;x\x07.py")], 1)
    tokenize(out, documents=documents, base=base, config=TokenizeConfig(), engine=Engine())
    assert trace.main([str(out / "code_python_train"), "0"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_what_is_not_there_is_one_line(stages, document, base, capsys):
    prefix = write(stages, document, base)
    total, tracer = len(IndexedReader(prefix).tokens), trace.Tracer(prefix)
    for offset in (-1, total):
        with pytest.raises(ValueError, match=f"below the {total} tokens"):
            tracer.locate(offset)
    assert trace.main([str(prefix.with_name("nothing")), "0"]) == 1
    assert "nothing.idx is not a token index" in capsys.readouterr().err
    (prefix.parent / "documents.parquet").unlink()
    with pytest.raises(SchemaError, match=r"documents\.parquet has 0 rows for sequence 0"):
        tracer.locate(0)
