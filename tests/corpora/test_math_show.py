"""`python -m corpora.math show`: rows with evidence, packs with what is learned, and nothing that writes to the terminal."""

import os
import re
import subprocess
import sys

import pytest

from corpora import records, shards
from corpora.indexed import IndexedReader
from corpora.math.dataset import DatasetConfig, write_dataset
from corpora.math.rows import problem
from corpora.math.show import choose, find_dataset, main
from corpora.math.tools import join
from corpora.pack import PackConfig, pack

TOOLS = join("A plan.", "print(6*7)", "42", "So 42.")


def make(kind, number, solution):
    columns = {"source": "GSM8K/train/1", "license": "MIT", "verdict": "verified", "evidence": "re-executed"}
    return problem(kind, f"How much is {number} and [bold]one?\x1b[31m", solution, str(number + 1), **columns)


@pytest.fixture
def store(tmp_path, base):
    """A store with problems, dataset and packs, and a manifest each."""
    rows = [make("seed", number, f"It is <<{number}+1={number + 1}>>{number + 1}.") for number in range(12)]
    problems = tmp_path / "DecontaminateMath" / "aa"
    shards.write(problems / "kept" / shards.shard_name(0, 1), [*rows, make("tools", 41, TOOLS)], records.PROBLEM)
    dataset, packs, home = tmp_path / "WriteMathData" / "bb", tmp_path / "PackMath" / "cc", tmp_path / "Base" / "dd"
    home.parent.mkdir()
    home.symlink_to(base)
    write_dataset(dataset, problems=problems, config=DatasetConfig(system="Be brief."))
    pack(packs, conversations=dataset, base=base, config=PackConfig(seq_length=400))
    given = {"conversations": "WriteMathData/bb", "base": "Base/dd"}
    for folder, inputs in ((problems, {}), (dataset, {"problems": "DecontaminateMath/aa"}), (packs, given)):
        shards.write_json(folder / "manifest.json", {"inputs": inputs, "cpu_seconds": 1.5, "metrics": {"kept": 13}})
    return tmp_path


def shown(capsys, *arguments):
    assert main(["show", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_rows_are_shown_with_their_evidence(store, capsys):
    text = shown(capsys, 3, "--dataset", store, "--packs", 0)
    assert text.count("verdict  verified") == text.count("evidence re-executed") == 3
    assert text.count("source   GSM8K/train/1") == text.count("license  MIT") == 3
    assert "user: How much is" in text
    assert "assistant: It is" in text
    assert text == shown(capsys, 3, "--dataset", store, "--packs", 0)


def test_a_text_cannot_write_to_the_terminal_nor_be_markup(store, capsys):
    text = shown(capsys, 13, "--dataset", store)
    assert "\x1b" not in text
    assert "[bold]one?\\x1b[31m" in text


def test_a_kind_or_an_id_is_found(store, capsys):
    text = shown(capsys, 5, "--dataset", store, "--kind", "tools", "--packs", 0)
    assert re.findall(r"^(\w+): ", text, re.MULTILINE) == ["system", "user", "assistant", "tool", "assistant"]
    (row,) = choose(find_dataset(store), 1)
    assert row["id"] in shown(capsys, 5, "--dataset", store, "--id", row["id"][:9], "--packs", 0)


def test_a_pack_is_decoded_and_what_is_learned_stands_between_brackets(store, capsys):
    text = shown(capsys, 0, "--dataset", store, "--packs", 2)
    header = re.search(r"pack 0: (\d+) conversations, (\d+) tokens, (\d+) learned", text)
    assert int(header[1]) > 1
    assert int(header[2]) <= 400
    learned = "".join(re.findall("⟦(.*?)⟧", text, re.DOTALL))
    assert "It is" in learned
    assert "How much" not in learned
    assert "Be brief" not in learned
    assert "<|im_end|>" in learned


def test_a_tools_words_are_not_learned(store, capsys):
    packs = len(IndexedReader(store / "PackMath" / "cc" / "packs").document_indices) - 1
    text = shown(capsys, 0, "--dataset", store, "--packs", packs)
    assert re.search(r"```output\n⟧42\n```\n⟦So 42\.<\|im_end\|>⟧", text)


@pytest.mark.parametrize(
    ("settings", "is_coloured"), [({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False), ({"FORCE_COLOR": "1"}, True)]
)
def test_colour_is_for_terminals_that_want_it(store, settings, is_coloured):
    command = [sys.executable, "-m", "corpora.math", "show", "1", "--dataset", str(store)]
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**environment, **settings, "TERM": "xterm-256color"}
    )
    assert ("\x1b[1;32m" in result.stdout) == is_coloured
    assert ("⟦" in result.stdout) != is_coloured


def test_the_cost_is_added_up_over_the_stages(store, capsys):
    text = shown(capsys, 0, "--dataset", store, "--packs", 0, "--cost")
    assert "DecontaminateMath/aa" in text
    assert re.search(r"all\W+4\.5", text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "gone"], "gone is neither a folder of WriteMathData nor a store with one"),
        (["--kind", "nothing"], "has no row of kind 'nothing'"),
        (["--packs", "99"], "has .* packs; the number must be from 0 to"),
    ],
)
def test_what_is_not_there_is_one_line(store, capsys, arguments, message):
    given = arguments if "--dataset" in arguments else ["--dataset", str(store), *arguments]
    assert main(["show", "1", *given]) == 1
    assert re.search(message, capsys.readouterr().err)
