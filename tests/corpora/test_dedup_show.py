"""`python -m corpora.dedup show`: the right members, their origin, what differs, and nothing that writes to the terminal."""

import io
import re

import pytest
from rich.console import Console

from corpora import shards
from corpora.dedup import Earlier, NearDuplicatesConfig, drop_near_duplicates, index_duplicates
from corpora.dedup.lookup import find_cluster, find_stage
from corpora.dedup.show import main, show_cluster, side_by_side
from corpora.engine import Engine

BASE = [f"name_{i} = call_{i}(value)" for i in range(60)]


def variant(number, line="other = 1"):
    lines = [*BASE]
    lines[number] = line
    return "\n".join(lines)


@pytest.fixture
def store(stages, document, tmp_path):
    """Builds a store with the folders and manifests of the stages, as the pipeline does."""

    def build(rows, name, unit="file", earlier=()):
        documents = stages.documents(rows, 1)
        filtered = tmp_path / "FilterCode" / name
        filtered.parent.mkdir(exist_ok=True)
        documents.rename(filtered)
        config = NearDuplicatesConfig(unit=unit)
        index, near = (tmp_path / stage / name for stage in ("IndexDuplicates", "DropNearDuplicates"))
        index.mkdir(parents=True)
        near.mkdir(parents=True)
        index_duplicates(index, documents=filtered, config=config.compared, engine=Engine())
        given = {"documents": f"FilterCode/{name}"}
        shards.write_json(index / "manifest.json", {"fingerprint": name, "inputs": given})
        folders = Earlier(tuple(str(tmp_path / "IndexDuplicates" / one) for one in earlier))
        drop_near_duplicates(near, documents=filtered, index=index, config=config, engine=Engine(), earlier=folders)
        identity = {"sources": folders.fingerprints()}
        manifest = {"identity": identity, "inputs": {**given, "index": f"IndexDuplicates/{name}"}}
        shards.write_json(near / "manifest.json", manifest)
        return tmp_path

    return build


def shown(folder, prefix, members=5, lines=60):
    console = Console(file=io.StringIO(), width=200, highlight=False)
    show_cluster(find_cluster(find_stage(folder), prefix), members, lines, console)
    return console.file.getvalue()


def test_members_and_what_differs_are_shown(store, document):
    rows = [
        document(variant(5), path="a.py", repository="first", stars=3),
        document(variant(9, "changed = 2"), path="b.py", repository="second", stars=8, license="BSD-3-Clause"),
        document("def alone():\n    return 1\n", path="c.py"),
    ]
    text = shown(store(rows, "one"), rows[0]["id"][:10])
    survivor, removed = (next(line for line in text.splitlines() if row["id"] in line) for row in (rows[1], rows[0]))
    assert all(word in survivor for word in ("survivor", "second", "b.py", "BSD-3-Clause", " 8 "))
    assert all(word in removed for word in ("removed", "first", "a.py", "MIT", " 3 "))
    assert 0.65 <= float(removed.split("│")[3]) < 1
    different = next(line for line in text.splitlines() if "changed = 2" in line)
    assert "name_9 = call_9(value)" in different
    assert "name_30" not in text


def test_a_text_cannot_write_to_the_terminal_or_be_markup(store, document):
    rows = [document(variant(i, "x = '\x1b[2J [red]bold[/red]'"), path=f"\x1b]0;t\x07{i}") for i in range(2)]
    text = shown(store(rows, "one"), rows[0]["id"])
    assert "\x1b" not in text
    assert "\x07" not in text
    assert r"\x1b[2J [red]bold[/red]" in text


def test_a_member_of_an_earlier_batch_is_shown_with_its_text_or_without(store, document):
    old, new = document(variant(3), path="old.py"), document(variant(4), path="new.py", stars=9)
    store([old], "one")
    root = store([new], "two", earlier=["one"])
    cluster = find_cluster(root / "DropNearDuplicates" / "two", new["id"])
    assert [(member.id, member.is_survivor, member.batch) for member in cluster] == [
        (old["id"], True, "one"),
        (new["id"], False, ""),
    ]
    assert "old.py" in shown(root, new["id"])
    for path in (root / "FilterCode" / "one" / "kept").iterdir():
        path.unlink()
    assert "text is not here" in shown(root, new["id"])


def test_repositories_are_shown_with_their_files(store, document):
    rows = [
        document(f"{variant(k)}\n{name}", path=f"{k}.py", repository=name) for name in ("one", "two") for k in range(3)
    ]
    text = shown(store(rows, "fork", unit="repository"), min(row["id"] for row in rows[:3]))
    assert "2 near duplicates" in text
    assert text.count("3 files") == 2
    assert "=== 1.py" in text


def test_wrong_ids_and_folders_are_one_line(store, document, capsys, tmp_path):
    rows = [document(variant(i), path=f"{i}.py") for i in range(4)]
    root = store(rows, "one")
    for prefix, message in {
        "f" * 32: "no document of .*clusters.parquet has an id that starts with fff",
        "xyz": "an id is 32 hex digits or the first of them, got 'xyz'",
        "": "an id is 32 hex digits",
    }.items():
        assert main(["show", prefix, "--folder", str(root)]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert re.search(message, error)
    assert main(["show", "ab", "--folder", str(tmp_path / "FilterCode")]) == 1
    assert "is neither a folder of DropNearDuplicates nor a store with one" in capsys.readouterr().err


def test_a_prefix_of_two_clusters_asks_for_more_digits(store, document):
    words = [[f"{letter}{i} = {i}" for i in range(60)] for letter in "abcdefghijklmnopqrst"]
    rows = [document("\n".join([*lines, str(k)]), path=f"{lines[0]}{k}") for lines in words for k in range(2)]
    root = store(rows, "one")
    by_digit = {}
    for row in rows:
        by_digit.setdefault(row["id"][0], set()).add(row["text"][:1])
    digit = next(digit for digit, clusters in by_digit.items() if len(clusters) > 1)
    with pytest.raises(ValueError, match=f"{digit} begins .* ids of .* clusters: .*; give more digits"):
        shown(root, digit)


def test_long_texts_are_cut_before_they_are_compared():
    rows = list(side_by_side("x\n" * 100_000 + "end", "x\n" * 100_000 + "other"))
    assert rows == []
    assert next(iter(side_by_side("a" * 10_000, "b")))[1] == "a" * 500
