"""`python -m corpora.code explain`: every signal, bound and decision for one file, the syntax gate included."""

import pytest

from corpora.code import __main__ as command
from corpora.code.__main__ import explain
from corpora.code.filter import FilterConfig
from corpora.code.languages import LANGUAGES
from corpora.code.signals import DESCRIPTIONS
from corpora.code.syntax import SyntaxConfig


def explained(path, text, preset="ours", **options):
    return list(explain(path, text, FilterConfig(preset=preset), SyntaxConfig(), **options))


def test_a_kept_file_is_told_with_every_signal_and_the_source_of_every_bound():
    lines = explained("a.py", "import os\n\n\ndef f():\n    return os.getcwd()\n")
    assert lines[1] == "language  Python (by its name); weight 120.68 in the blend"
    assert lines[-1] == "decision  kept"
    told = {line.split()[0] for line in lines if line}
    assert told >= DESCRIPTIONS.keys() - {"visible", "visible_share"} | {"syntax"}
    (longest,) = [line for line in lines if line.startswith("longest_line")]
    assert longest.split()[1:5] == ["22", "<=", "1000", "kept"]
    assert "StarCoder2 (arXiv 2402.19173)" in longest


def test_a_rejected_file_is_told_with_all_its_reasons():
    lines = explained("a.py", "# auto-generated\ndef f(:\n")
    assert lines[-1] == "decision  rejected: generated (and syntax)"
    assert any("generated: auto-generated" in line for line in lines)
    assert sum("BROKEN" in line for line in lines) == 2


def test_the_language_can_be_given_and_one_without_a_grammar_is_not_parsed():
    lines = explained("a.txt", "* title\n", language="reStructuredText")
    assert "reStructuredText (as given)" in lines[1]
    assert any(line.startswith("syntax") and "is not parsed" in line for line in lines)


def test_the_command(tmp_path, monkeypatch, capsys):
    good, bad = tmp_path / "a.h", tmp_path / "b.py"
    good.write_text("int f(int a);\n")
    bad.write_bytes(b"\xff\xfe")
    for path, wanted in ((good, "language  C (by path and content"), (bad, "reason    not_utf8")):
        monkeypatch.setattr("sys.argv", ["corpora.code", "explain", str(path), "--preset", "starcoder2"])
        command.main()
        assert wanted in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["corpora.code", "explain", str(good), "--preset", "best"])
    with pytest.raises(SystemExit):
        command.main()


def test_the_languages_are_listed_with_their_share_of_the_blend(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["corpora.code", "languages"])
    command.main()
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == len(LANGUAGES) >= 90
    assert "14.20%  yes    .py .pyi" in next(line for line in lines if line.startswith("Python "))
    shares = [float(line[32:39].strip().removesuffix("%")) for line in lines if "%" in line[:40]]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert shares == sorted(shares, reverse=True)
