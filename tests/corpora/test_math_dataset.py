"""The dataset: what a model is asked and answers, and that `datasets` reads the folder."""

import pytest

from corpora import records, shards
from corpora.math import rows
from corpora.math.dataset import DatasetConfig, conversation, write_dataset


def make(kind, question, solution, answer):
    return rows.problem(kind, question, solution, answer, source="t", license="MIT", verdict="verified", evidence="e")


SEED = make("seed", "How much?", "It is <<1+1=2>>2.\n#### 2", "2")
PROGRAM = make("program", "How much?", "print(2)", "2")


def test_annotations_are_taken_out_unless_asked_for():
    told = [
        conversation(SEED, DatasetConfig(keep_annotations=keep))["messages"][1]["content"] for keep in (False, True)
    ]
    assert told == ["It is 2.\n#### 2", SEED["solution"]]


def test_a_program_is_asked_for_and_fenced():
    user, assistant = conversation(PROGRAM, DatasetConfig())["messages"]
    assert user == {"role": "user", "content": "How much?\n\nWrite a Python program that prints the answer."}
    assert assistant == {"role": "assistant", "content": "```python\nprint(2)\n```"}


def test_a_system_turn_comes_first():
    messages = conversation(SEED, DatasetConfig(system="You calculate."))["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]


@pytest.fixture
def written(stages):
    problems, out = stages.out(), stages.out()
    for index, part in enumerate([[SEED], [PROGRAM], []]):
        shards.write(problems / "kept" / shards.shard_name(index, 3), part, records.PROBLEM)
    counts = write_dataset(out, problems=problems, config=DatasetConfig(name="Ours"))
    assert counts == {"kept": 2, "rejected": 0, "kinds": {"program": 1, "seed": 1}}
    return out


def test_both_copies_hold_the_same_rows(written):
    """But for empty shards, which `datasets` cannot read."""
    kept = [path.read_bytes() for path in shards.shard_paths(written / "kept")]
    data = [path.read_bytes() for path in sorted((written / "data").glob("train-*.parquet"))]
    assert kept[:2] == data


def test_the_card_counts_the_kinds_that_are_there(written):
    assert sorted(path.name for path in (written / "data").iterdir()) == [
        f"train-0000{i}-of-00002.parquet" for i in (0, 1)
    ]
    card = (written / "README.md").read_text()
    assert card.startswith("---\npretty_name: Ours\nlicense:\n- mit\n")
    assert "| seed | 1 |" in card
    assert "| drill |" not in card


def test_datasets_reads_the_folder(written, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from datasets import load_dataset

    dataset = load_dataset(str(written), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(dataset["kind"]) == ["program", "seed"]
    assert {message["role"] for message in dataset[0]["messages"]} == {"user", "assistant"}


def test_a_wrong_name_is_refused():
    with pytest.raises(ValueError, match=r"DatasetConfig\.name must be one line of text"):
        DatasetConfig(name="a\nb")
