"""The dataset: what a model is asked and answers, and that `datasets` reads the folder."""

import pytest

from corpora import records, shards
from corpora.math import rows
from corpora.math.dataset import DatasetConfig, conversation, write_dataset
from corpora.math.tools import join


def make(kind, question, solution, answer):
    return rows.problem(kind, question, solution, answer, source="t", license="MIT", verdict="verified", evidence="e")


SEED = make("seed", "How much?", "It is <<1+1=2>>2.\n#### 2", "2") | {"path_key": "(1+1)=2"}
PROGRAM = make("program", "How much?", "print(2)", "2") | {"path_key": "(1+1)=2", "seed": SEED["id"]}
TOOLS = make("tools", "How much?", join("Plan.", "print(2)", "2", "So 2."), "2") | {"seed": SEED["id"]}


def test_annotations_are_taken_out_unless_asked_for():
    told = [
        conversation(SEED, DatasetConfig(keep_annotations=keep))["messages"][1]["content"] for keep in (False, True)
    ]
    assert told == ["It is 2.\n#### 2", SEED["solution"]]


def test_a_program_is_asked_for_and_fenced():
    user, assistant = conversation(PROGRAM, DatasetConfig())["messages"]
    assert user == {"role": "user", "content": "How much?\n\nWrite a Python program that prints the answer."}
    assert assistant == {"role": "assistant", "content": "```python\nprint(2)\n```"}


def test_what_a_program_printed_is_a_message_of_the_tool():
    messages = conversation(TOOLS, DatasetConfig())["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant"]
    assert messages[2]["content"] == "2\n```\n"
    assert "".join(message["content"] for message in messages[1:]) == TOOLS["solution"]


def test_a_system_turn_comes_first():
    messages = conversation(SEED, DatasetConfig(system="You calculate."))["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]


@pytest.fixture
def written(stages):
    problems, out = stages.out(), stages.out()
    for index, part in enumerate([[SEED], [PROGRAM], []]):
        shards.write(problems / "kept" / shards.shard_name(index, 3), part, records.PROBLEM)
    counts = write_dataset(out, problems=problems, config=DatasetConfig(name="Ours"))
    assert (counts["kept"], counts["rejected"], counts["kinds"]) == (2, 0, {"program": 1, "seed": 1})
    assert (counts["paths"], counts["distinct_paths"]) == ({"program": 1, "seed": 1}, 1)
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
    assert "| seed | 1 | 1 | problem with its published solution | e (1) | MIT |" in card
    assert "| drill |" not in card
    assert "2 conversations with 1 distinct reasoning paths" in card
    assert "| all kinds | 1 | 2.00 | 2 | 2 |" in card
    assert "From t (2 rows)." in card
    assert "No teacher model was used." in card
    assert "- en\ntask" in card


def test_the_card_says_what_was_kept_out_and_what_a_teacher_wrote(tmp_path):
    """Out of the manifests above, and the same whatever time the stages took."""
    cards = []
    for seconds in (1.0, 2.0):
        store = tmp_path / str(seconds)
        problems, teacher = store / "DecontaminateMath" / "bb", store / "AugmentAnswer" / "aa"
        shards.write(problems / "kept" / shards.shard_name(0, 1), [SEED], records.PROBLEM)
        found = {"items": 500, "found": 3, "documents": 4}
        metrics = {"overlaps": 4, "benchmarks": {"math-500": found}, "unchecked": ["svamp"]}
        shards.write_json(
            problems / "manifest.json",
            {"inputs": {"problems": "AugmentAnswer/aa"}, "metrics": metrics, "cpu_seconds": seconds},
        )
        spent = {"prompt_tokens": 1200, "reply_tokens": 34567}
        shards.write_json(teacher / "manifest.json", {"inputs": {}, "metrics": spent, "cpu_seconds": seconds})
        out = store / "out"
        write_dataset(out, problems=problems, config=DatasetConfig())
        cards.append((out / "README.md").read_text())
    assert cards[0] == cards[1]
    assert "- math-500: 500 items; 3 found, in 4 rows" in cards[0]
    assert "Not looked for, because no copy was at hand: svamp." in cards[0]
    assert "| AugmentAnswer | 1,200 | 34,567 |" in cards[0]


def test_the_card_of_chinese_rows_says_so(stages):
    problems, out = stages.out(), stages.out()
    shards.write(problems / "kept" / shards.shard_name(0, 1), [make("seed", "多少？", "2", "2")], records.PROBLEM)
    write_dataset(out, problems=problems, config=DatasetConfig())
    assert "language:\n- zh\n" in (out / "README.md").read_text()


def test_datasets_reads_the_folder(written, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from datasets import load_dataset

    dataset = load_dataset(str(written), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(dataset["kind"]) == ["program", "seed"]
    assert {message["role"] for message in dataset[0]["messages"]} == {"user", "assistant"}


def test_the_card_names_licences_as_the_hub_does_and_does_not_hide_a_teacher(stages):
    problems, out = stages.out(), stages.out()
    made = [make("answer", "How?", "2", "2") | {"license": "LicenseRef-ape210k"}, SEED]
    shards.write(problems / "kept" / shards.shard_name(0, 1), made, records.PROBLEM)
    write_dataset(out, problems=problems, config=DatasetConfig())
    card = (out / "README.md").read_text()
    assert "license:\n- mit\n- other\nlanguage" in card
    assert "No teacher model was used." not in card


def test_a_wrong_name_is_refused():
    with pytest.raises(ValueError, match=r"DatasetConfig\.name must be one line of text"):
        DatasetConfig(name="a\nb")
