"""What a decontamination dropped is shown beside the benchmark, and another config's effect is told without writing."""

import subprocess
import sys
from dataclasses import asdict

import pytest

from corpora import SchemaError, benchmarks, records, shards
from corpora.benchmarks.files import BenchmarkFiles
from corpora.decontaminate import DecontaminateConfig, decontaminate_corpus
from corpora.engine import Engine
from corpora.reveal import compare, config_of, explain, main

CONFIG = DecontaminateConfig(benchmarks=("humaneval:test", "mbpp:test"))
HUMANEVAL, MBPP = benchmarks.load("humaneval", "test"), benchmarks.load("mbpp", "test")


@pytest.fixture
def made(stages, document, tmp_path):
    """The output of a stage in a store, with its manifest, over three documents: clean, HumanEval, MBPP."""
    rows = [
        document("x = 1\n", path="clean.py"),
        document(f"# é\n\x1b[2J\n{HUMANEVAL[0].prompt}{HUMANEVAL[0].solution}", path="humaneval.py"),
        document(MBPP[5].solution, path="mbpp.py"),
    ]
    source = stages.documents(rows)
    folder = tmp_path / "DecontaminateCorpus" / "abc"
    folder.mkdir(parents=True)
    (tmp_path / "RedactSecrets").mkdir()
    (tmp_path / "RedactSecrets" / "def").symlink_to(source)
    decontaminate_corpus(folder, documents=source, config=CONFIG, engine=Engine())
    manifest = {"identity": {"config": asdict(CONFIG)}, "inputs": {"documents": "RedactSecrets/def"}}
    shards.write_json(folder / "manifest.json", manifest)
    return folder, {row["path"]: row["id"] for row in rows}


def test_a_row_is_shown_beside_what_it_holds(made, capsys):
    folder, ids = made
    shown = explain(folder, ids["humaneval.py"], BenchmarkFiles())
    assert "humaneval HumanEval/0, prompt: verbatim, 100% of it; dropped" in shown
    assert "lines 3 to" in shown
    assert shown.count("def has_close_elements(") >= 2  # in the row, and in the benchmark
    assert main(["explain", str(folder.parent), ids["mbpp.py"]]) == 1
    assert "has no ledger.parquet; wanted the output of a Decontaminate stage" in capsys.readouterr().err
    assert main(["explain", str(folder), ids["clean.py"]]) == 1
    assert "nothing of a benchmark was counted in it" in capsys.readouterr().err


def test_another_config_tells_what_returns_and_what_goes(made, capsys):
    folder, ids = made
    assert compare(folder, {}, BenchmarkFiles()) == ([], [])
    assert compare(folder, {"benchmarks": ("humaneval:test",)}, BenchmarkFiles()) == ([ids["mbpp.py"]], [])
    assert main(["compare", str(folder), "--set", "benchmarks=mbpp:test"]) == 0
    assert capsys.readouterr().out.split() == ["returns", ids["humaneval.py"]]
    assert main(["compare", str(folder), "--set", "ngram=many"]) == 1
    assert "--set ngram takes a number, got 'many'" in capsys.readouterr().err


def test_the_config_of_a_manifest_is_the_config(made):
    folder, _ = made
    assert config_of(shards.read_json(folder / "manifest.json")["identity"]["config"]) == CONFIG


def test_control_characters_of_a_text_are_not_printed(made):
    folder, ids = made
    ledger = shards.read(folder / "ledger.parquet", records.LEDGER).to_pylist()
    rows = [row | {"offset": 0, "length": 20} for row in ledger]
    shards.write(folder / "ledger.parquet", rows, records.LEDGER)
    assert "\x1b" not in explain(folder, ids["humaneval.py"], BenchmarkFiles())


def test_a_manifest_without_an_input_is_refused(made):
    folder, ids = made
    manifest = shards.read_json(folder / "manifest.json")
    shards.write_json(folder / "manifest.json", manifest | {"inputs": {}})
    with pytest.raises(SchemaError, match="names no input"):
        explain(folder, ids["mbpp.py"], BenchmarkFiles())


def test_the_command_starts_without_the_kernels(made):
    folder, ids = made
    code = (
        "import sys\nfrom corpora.reveal import main\n"
        f"main(['explain', {str(folder)!r}, {ids['mbpp.py']!r}])\n"
        "assert not {'numba', 'daft'}.intersection(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
