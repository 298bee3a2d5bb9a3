"""Tables of rows: the same bytes however the rows are cut into files, whole repositories, and every bad row with its reason."""

import gzip
import itertools
import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora import SchemaError, records, shards
from corpora.collect import (
    FIXTURE,
    CollectCodeConfig,
    CollectTextConfig,
    Sources,
    collect_code,
    collect_text,
    inventory,
)
from corpora.engine import Engine
from corpora.sources.folders import plain
from corpora.sources.jsonl import _lines
from corpora.sources.tables import _pattern

ROOT = Path(__file__).parents[2]
MAPPING = {
    "columns": {
        "text": "content", "repository": "meta.repo", "path": "path", "license": "meta.licenses", "revision": "commit",
        "stars": "stars", "date": "date",
    }
}  # fmt: skip
MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()


def row(number, **changes):
    repository = f"owner{number % 3}/r{number % 11}"
    return {
        "content": f"# {number}\n" + "x = 1\n" * (number % 17 + 1),
        "meta": {"repo": repository, "licenses": ["MIT", "Apache-2.0"] if number % 5 else ["GPL-3.0-only"]},
        "path": f"d{number % 4}/f{number}.py",
        "commit": "c" * 40,
        "stars": number % 11,
        "date": "2024-05-01T00:00:00Z",
        **changes,
    }


def table(folder, parts, mapping=MAPPING):
    """Write rows as files, by the endings of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(mapping))
    for name, rows in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
            continue
        data = "".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in rows).encode()
        if path.suffix == ".gz":
            data = gzip.compress(data)
        elif path.suffix == ".zst":
            data = pa.compress(data, "zstd", asbytes=True)
        path.write_bytes(data)
    return folder


def collect(out, *places, kind=CollectCodeConfig, workers=1, opt_out=None, **changes):
    config = kind(**{
        "kinds": ("folders",), "budget_bytes": 10**7, "max_repository_bytes": 10**7, "num_shards": 3, **changes
    })  # fmt: skip
    run = collect_text if kind is CollectTextConfig else collect_code
    sources = Sources(folders=tuple((name, str(path)) for name, path in places), opt_out=opt_out)
    return run(out, config=config, sources=sources, engine=Engine(workers=workers))


@pytest.fixture
def mine(tmp_path):
    return table(
        tmp_path / "mine", {"a.parquet": [row(n) for n in range(60)], "b.jsonl": [row(n) for n in range(60, 90)]}
    )


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "LICENSE").write_text(MIT)
    (root / "z.py").write_text("z = 1\n")
    (root / "a.py").write_text("a = 1\n")
    return root


# The same bytes ---------------------------------------------------------------------------------------------------------


def test_rows_become_documents_with_their_origin(mine, stages):
    out = stages.out()
    metrics = collect(out, ("mine", mine))
    kept, rejected = stages.kept(out), stages.rejected(out)
    assert metrics["kept"] == len(kept) == 72
    assert {one["reason"] for one in rejected} == {"license_not_allowed"}
    assert len(rejected) == 18
    by_path = {one["path"]: one for one in kept}
    for number in (n for n in range(90) if n % 5):
        wanted, found = row(number), by_path[f"d{number % 4}/f{number}.py"]
        assert (found["text"], found["repository"]) == (wanted["content"], wanted["meta"]["repo"])
        assert (found["stars"], found["date"], found["revision"]) == (wanted["stars"], wanted["date"], "c" * 40)
        assert (found["license"], found["language"], found["domain"]) == ("Apache-2.0 AND MIT", "Python", "code")
    assert not (out / "tables").exists()


def test_files_and_order_of_rows_change_no_byte(mine, tmp_path, stages, same_bytes):
    rows = [row(n) for n in range(90)]
    random.Random(4).shuffle(rows)
    parts = {"x/1.jsonl.gz": rows[:20], "x/2.jsonl.zst": rows[20:40], "3.parquet": rows[40:80], "0.jsonl": rows[80:]}
    other = table(tmp_path / "other", parts)
    first, second = stages.out(), stages.out()
    collect(first, ("mine", mine))
    collect(second, ("mine", other))
    same_bytes(first, second)


@pytest.mark.slow
def test_two_workers_write_the_bytes_of_one(mine, checkout, stages, same_bytes):
    first, second = stages.out(), stages.out()
    collect(first, ("mine", mine), ("own", checkout))
    collect(second, ("mine", mine), ("own", checkout), workers=2)
    same_bytes(first, second)


def test_any_number_of_shards_has_one_order(mine, checkout, stages):
    outs = [stages.out() for _ in range(2)]
    for out, number in zip(outs, (1, 5), strict=True):
        collect(out, ("mine", mine), ("own", checkout), num_shards=number)
    assert stages.kept(outs[0]) == stages.kept(outs[1])
    assert stages.rejected(outs[0]) == stages.rejected(outs[1])


def test_folders_and_tables_share_a_run(mine, checkout, stages):
    alone, out = stages.out(), stages.out()
    collect(alone, ("own", checkout), heldout_fraction=0.0)
    collect(out, ("mine", mine), ("own", checkout), heldout_fraction=0.0)
    of_folder = [one for one in stages.kept(out) if one["source"] == "own"]
    assert of_folder == stages.kept(alone)
    assert [one["path"] for one in of_folder] == ["a.py", "z.py"]
    names = [(one["source"], one["repository"]) for one in stages.kept(out)]
    assert len(set(names)) == len(list(itertools.groupby(names)))  # each repository is one run of rows


def test_a_repository_lies_whole_in_one_shard_and_split(mine, stages):
    out = stages.out()
    metrics = collect(out, ("mine", mine), heldout_fraction=0.3)
    places, splits = {}, {}
    for path in shards.shard_paths(out / "kept"):
        for one in shards.read(path, records.DOCUMENT).to_pylist():
            places.setdefault(one["repository"], set()).add(path.name)
            splits.setdefault(one["repository"], set()).add(one["split"])
    assert all(len(one) == 1 for one in (*places.values(), *splits.values()))
    held = sorted(name for name, split in splits.items() if split == {"heldout"})
    assert held == metrics["heldout_repositories"]
    assert 0 < len(held) < len(splits)


@pytest.mark.parametrize("fraction", [0.0001, 0.9999])
def test_one_repository_is_held_out_and_never_all(mine, stages, fraction):
    out = stages.out()
    collect(out, ("mine", mine), heldout_fraction=fraction)
    assert {one["split"] for one in stages.kept(out)} == {"train", "heldout"}


def test_a_name_is_held_out_in_folders_and_tables_alike(checkout, tmp_path, stages):
    both = table(tmp_path / "mine", {"a.jsonl": [row(n, meta={"repo": "own", "licenses": "MIT"}) for n in range(4)]})
    for fraction in (0.3, 0.7):
        out = stages.out()
        collect(out, ("mine", both), ("own", checkout), heldout_fraction=fraction, num_shards=1)
        assert len({one["split"] for one in stages.kept(out) if one["repository"] == "own"}) == 1


# The budget -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "most"), [(3, 10**6), (2, 100), (1, 60), (4, 90), (50, 1)])
def test_the_budget_cuts_rows_as_it_cuts_files(tmp_path, stages, monkeypatch, part, most):
    """The same repositories as folders and as rows, under the same names: the same files are chosen."""
    rows = [row(n, commit="") for n in range(90) if n % 5]
    folders = tmp_path / "folders"
    for one in rows:
        name = one["meta"]["repo"].replace("/", "-")
        one["meta"] = {"repo": f"mine/{name}", "licenses": "MIT"}
        path = folders / name / one["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one["content"])
        (folders / name / "LICENSE").write_text(MIT)
    place = table(tmp_path / "rows", {"a.jsonl": rows[:30], "b.parquet": rows[30:]})
    listed = [plain(f"mine/{path.name}", path, source="mine") for path in sorted(folders.iterdir())]
    size = sum(len(one["content"]) for one in rows) // part
    chosen = []
    for kinds, found in (((), listed), (("folders",), [])):
        monkeypatch.setattr("corpora.collect.list_repositories", lambda *_, found=found: found)
        out = stages.out()
        limits = {"budget_bytes": size, "max_repository_bytes": most, "heldout_fraction": 0.0}
        metrics = collect(out, ("mine", place), kinds=kinds, **limits)
        ids = [(one["id"], one["text"]) for one in stages.kept(out)]
        chosen.append((ids, metrics["unread_bytes"], metrics["bytes"], metrics["repositories"]))
    assert chosen[0] == chosen[1]
    assert chosen[0][1] > 0


def test_what_is_cut_does_not_depend_on_the_files(tmp_path, stages, same_bytes):
    rows = [row(n) for n in range(90)]
    first = table(tmp_path / "1" / "mine", {"a.jsonl": rows})
    second = table(tmp_path / "2" / "mine", {f"{n}.jsonl": rows[n::7] for n in range(7)})
    outs = [stages.out() for _ in range(2)]
    found = [
        collect(out, ("mine", one), budget_bytes=1500, max_repository_bytes=150)
        for out, one in zip(outs, (first, second), strict=True)
    ]
    assert found[0] == found[1]
    assert found[0]["unread_bytes"] > 0
    same_bytes(*outs)


def test_an_opt_out_takes_a_repository_and_says_so_once(mine, tmp_path, stages):
    (tmp_path / "list.txt").write_text("owner1\nowner2/r2\n")
    out = stages.out()
    collect(out, ("mine", mine), opt_out=str(tmp_path / "list.txt"))
    names = {one["repository"] for one in stages.kept(out)}
    assert not any(name.startswith("owner1/") or name == "owner2/r2" for name in names)
    said = [one for one in stages.rejected(out) if one["reason"] == "opted_out"]
    assert len(said) == len({one["repository"] for one in said}) == 12
    assert {(one["path"], one["evidence"]) for one in said} == {("", "owner1"), ("", "owner2/r2")}


# Bad rows ---------------------------------------------------------------------------------------------------------------


def test_bad_rows_are_rejected_by_reason(tmp_path, stages):
    fine = {"repo": "ann/a", "licenses": ["MIT"]}
    rows = [
        row(1, meta=fine, path="fine.py"),
        row(1, meta=fine, path="fine.py", content="other = 1\n"),
        row(1, meta=fine, path="null.py", content=None),
        row(1, meta=fine, path="empty.py", content=" \n"),
        row(1, meta=fine, path="zero.py", content="a\0b"),
        row(1, meta=fine, path="lone.py", content="x = '\ud800'"),
        row(1, meta=fine, path="odd\n.py"),
        row(1, meta=fine, path="tag.py", content="# SPDX-License-Identifier: GPL-3.0-only\n"),
        row(1, meta={"repo": "ann/a", "licenses": ["see file"]}, path="vague.py"),
        row(1, meta={"repo": "ann/a", "licenses": []}, path="none.py"),
        row(1, meta={"licenses": ["MIT"]}),
        row(1, meta=fine, content=7),
        row(1, meta=fine, stars="many"),
        "[1]\n",
        "{\n",
        "\n",
        "[" * 100_000 + "\n",
        row(1, meta=fine, path="notes.txt"),
    ]
    out = stages.out()
    collect(out, ("mine", table(tmp_path / "mine", {"a.jsonl": rows})))
    (kept,) = stages.kept(out)
    assert kept["text"] == min("other = 1\n", rows[0]["content"])  # of two with one id, whatever order they come in
    assert {(one["path"], one["reason"]) for one in stages.rejected(out)} == {
        ("fine.py", "duplicate_id"), ("null.py", "no_text"), ("empty.py", "empty"), ("zero.py", "binary"),
        ("lone.py", "not_utf8"), ("odd\\x0a.py", "file_name"), ("tag.py", "license_not_allowed"),
        ("vague.py", "license_not_allowed"), ("none.py", "license_not_allowed"), ("a.jsonl:11", "no_repository"),
        ("a.jsonl:12", "wrong_type"), ("a.jsonl:13", "wrong_type"), ("a.jsonl:14", "not_json"), ("a.jsonl:15", "not_json"),
        ("a.jsonl:17", "not_json"),
    }  # fmt: skip


def test_a_line_of_200_mb_is_passed_over_without_being_held(tmp_path, stages):
    root = table(tmp_path / "mine", {"a.jsonl": [row(1)]})
    with (root / "a.jsonl").open("ab") as stream:
        stream.write(b'{"content": "')
        for _ in range(200):
            stream.write(b"x" * 1_000_000)
        stream.write(b'"}\n' + json.dumps(row(2)).encode())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out = stages.out()
    collect(out, ("mine", root))
    assert len(stages.kept(out)) == 2
    assert [(one["path"], one["reason"]) for one in stages.rejected(out)] == [("a.jsonl:2", "line_bytes")]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KB


def test_lines_are_cut_wherever_the_blocks_end(tmp_path, monkeypatch):
    text = b"one\n\nthree is long\nfour"
    path = tmp_path / "lines"
    path.write_bytes(text)
    for block in (1, 2, 3, 5, 100):
        monkeypatch.setattr("corpora.sources.jsonl._BLOCK", block)
        with path.open("rb") as stream:
            assert list(_lines(stream, 5)) == [(1, b"one", 3), (2, b"", 0), (3, None, 13), (4, b"four", 4)]


@pytest.mark.parametrize(
    ("column", "values", "wanted"),
    [
        ("content", [1.5], r"a\.parquet has column 'content' of type double, which cannot be text"),
        ("stars", ["many"], r"a\.parquet has column 'stars' of type string, which cannot be stars"),
        ("meta", ["flat"], r"a\.parquet lacks column 'meta\.repo', mapped to repository \(above 'repo' is string\)"),
        ("path", None, r"a\.parquet lacks column 'path', mapped to path \(has: "),
    ],
)
def test_a_parquet_file_of_another_form_is_named_with_its_column(tmp_path, column, values, wanted):
    one = row(1)
    one.pop(column)
    if values:
        one[column] = values[0]
    with pytest.raises(SchemaError, match=wanted):
        collect(tmp_path / "out", ("mine", table(tmp_path / "mine", {"a.parquet": [one]})))
    assert not list((tmp_path / "out").glob("*/part-*"))


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl.gz", "a.jsonl.zst", "a.jsonl"])
def test_a_broken_file_is_named_and_nothing_is_left_half_written(tmp_path, name):
    root = table(tmp_path / "mine", {name: [row(n) for n in range(50)], "b.jsonl": [row(61)]})
    data = (root / name).read_bytes()
    (root / name).write_bytes(data[: len(data) // 2] if name != "a.jsonl" else b"PK\x03\x04" + data)
    with pytest.raises(SchemaError, match=f"{name}"):
        collect(tmp_path / "out", ("mine", root))
    assert not list((tmp_path / "out").glob("*/part-*"))
    (root / name).write_bytes(data)  # fetched again
    assert collect(tmp_path / "out", ("mine", root))["kept"] == 41


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    root = table(tmp_path / "mine", {"a.jsonl": [row(1)]})
    (tmp_path / "secret.jsonl").write_text("{}\n")
    (root / "b.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(SchemaError, match=r"b\.jsonl is a link out of"):
        collect(tmp_path / "out", ("mine", root))


def test_the_cache_of_the_hub_is_a_copy(tmp_path, stages):
    blobs, snapshot = tmp_path / "cache" / "blobs", tmp_path / "cache" / "snapshots" / "abc"
    table(snapshot, {"a.jsonl": [row(1)]})
    blobs.mkdir()
    (snapshot / "a.jsonl").rename(blobs / "0123")
    (snapshot / "a.jsonl").symlink_to(blobs / "0123")
    assert collect(stages.out(), ("mine", snapshot))["kept"] == 1


# The mapping ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "wanted"),
    [
        ("{", "not readable JSON"),
        ("[]", 'an object with "columns"'),
        ({"columns": {"texts": "a"}}, r"has columns\.texts, which is not known; choose text, content"),
        ({"columns": {"text": 3}}, r"columns\.text must be a text, got 3"),
        ({"columns": {"text": "a"}, "licence": "MIT"}, "has licence, which is not known; choose domain, "),
        ({"columns": {"text": "a"}}, "name a column for repository"),
        ({"columns": {"text": "a", "repository": "r"}}, "none is no permission"),
        (
            {"columns": {"text": "a", "repository": "r", "license": "l"}, "unit": "x"},
            '"unit" must be of name, first, site',
        ),
        ({"columns": {"text": "a", "repository": "r", "license": "l"}, "files": 3}, '"files" must be a pattern'),
    ],
)
def test_a_mapping_that_cannot_be_names_its_file_and_what_is_wanted(tmp_path, mapping, wanted):
    (tmp_path / "dataset.json").write_text(mapping if isinstance(mapping, str) else json.dumps(mapping))
    with pytest.raises(ValueError, match=f"dataset.json.*{wanted}"):
        inventory(
            CollectCodeConfig(kinds=("folders",), budget_bytes=1, max_repository_bytes=1),
            Sources((("m", str(tmp_path)),)),
        )


def test_the_identity_is_the_files_and_the_mapping(mine):
    def now():
        config = CollectCodeConfig(kinds=("folders",), budget_bytes=1, max_repository_bytes=1)
        return inventory(config, Sources((("mine", str(mine)),)))["mine"]

    first = now()
    assert now() == first
    (mine / "dataset.json").write_text(json.dumps(MAPPING, indent=3))
    assert now() == first  # the same mapping in another hand
    (mine / "dataset.json").write_text(json.dumps(MAPPING | {"language": "Python"}))
    assert now() != first
    (mine / "dataset.json").write_text(json.dumps(MAPPING))
    table(mine, {"c.jsonl": [row(100)]})
    assert now() != first


def test_defaults_stand_where_columns_do_not(tmp_path, stages):
    mapping = {"columns": {"text": "code"}, "repository": "all/of-it", "license": "MIT", "language": "python"}
    out = stages.out()
    rows = [{"code": "a = 1\n"}, {"code": "b = 1\n"}, {"code": "a = 1\n"}]
    collect(out, ("mine", table(tmp_path / "mine", {"a.jsonl": rows}, mapping)))
    kept = stages.kept(out)
    assert {(one["repository"], one["license"], one["language"]) for one in kept} == {("all/of-it", "MIT", "Python")}
    assert sorted(one["text"] for one in kept) == ["a = 1\n", "b = 1\n"]
    assert [one["reason"] for one in stages.rejected(out)] == ["duplicate_id"]


def test_text_is_replay_and_a_site_is_one_repository(tmp_path, stages):
    mapping = {
        "columns": {"text": "text", "repository": "url"}, "unit": "site", "license": "ODC-By-1.0", "domain": "text"
    }  # fmt: skip
    rows = [{"text": f"Words {n}.", "url": f"https://me@Site{n % 2}.example:80/{n}?q"} for n in range(6)]
    root = table(tmp_path / "mine", {"a.parquet": rows}, mapping)
    out, other = stages.out(), stages.out()
    collect(out, ("mine", root), kind=CollectTextConfig, licenses=("ODC-By-1.0",))
    kept = stages.kept(out)
    assert {(one["repository"], one["domain"], one["language"]) for one in kept} == {
        (f"site{n}.example", "text", "English") for n in range(2)
    }
    assert len(kept) == 6
    collect(other, ("mine", root))
    assert stages.kept(other) == []  # text is not code


def test_patterns_stay_in_their_folders():
    import re

    for pattern, path, wanted in (
        ("data/*/*.parquet", "data/a/b.parquet", True),
        ("data/*/*.parquet", "data/a/c/b.parquet", False),
        ("**/*.jsonl", "a.jsonl", True),
        ("[a-z0-9]*/train-*.parquet", "c-sharp/train-0.parquet", True),
        ("a.b", "axb", False),
    ):
        assert bool(re.fullmatch(_pattern(pattern), path)) == wanted


# What is killed, and what it costs --------------------------------------------------------------------------------------


def test_a_file_that_was_read_is_not_read_again(mine, stages, same_bytes, monkeypatch):
    from corpora.sources import gather, tables

    whole, out = stages.out(), stages.out()
    collect(whole, ("mine", mine))
    with monkeypatch.context() as broken:
        broken.setattr(gather, "_sorted", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            collect(out, ("mine", mine))
    monkeypatch.setattr(tables.Input, "open", lambda one: pytest.fail(f"{one} is read again"))
    collect(out, ("mine", mine))
    same_bytes(whole, out)


_MEASURE = """
import json, pathlib, resource, sys
import pyarrow as pa, pyarrow.parquet as pq
from corpora.collect import CollectCodeConfig, Sources, collect_code
from corpora.engine import Engine
root = pathlib.Path(sys.argv[1])
config = CollectCodeConfig(kinds=("folders",), budget_bytes=10**9, max_repository_bytes=10**9, num_shards=16)
collect_code(root / "out", config=config, sources=Sources((("mine", str(root / "mine")),)), engine=Engine())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_is_of_a_batch_and_a_shard_not_of_the_table(tmp_path):
    """200 MB take 0.4 GB, of which libraries are the half; the table as Python objects would be three times that."""
    root = tmp_path / "mine"
    root.mkdir()
    (root / "dataset.json").write_text(
        json.dumps({"columns": {"text": "t", "repository": "r", "path": "p"}, "license": "MIT"})
    )
    noise = random.Random(1)
    text = "".join(f"x{noise.random()} = 1\n" for _ in range(4000))
    with pq.ParquetWriter(root / "a.parquet", pa.schema([(name, pa.string()) for name in "trp"])) as writer:
        for group in range(20):
            starts = [noise.randrange(len(text) - 10_000) for _ in range(1000)]
            rows = [
                {"t": text[start : start + 10_000], "r": f"o/{n % 500}", "p": f"{group}/{n}.py"}
                for n, start in enumerate(starts)
            ]
            writer.write_table(pa.Table.from_pylist(rows))
    result = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(result.stdout) * 1024 < 500e6


THREAD = [
    {"author": "Jo", "title": "Crash on  start", "text": "It crashes, @al-b. See @property.", "action": "opened"},
    {"author": "ci[bot]", "title": None, "text": "Build failed", "action": "created"},
    {"author": "al-b", "title": None, "text": "Thanks @JO, fixed.", "action": "created"},
    {"author": "jo", "title": None, "text": "", "action": "closed"},
]
TOLD = (
    "<issue_start>Title: Crash on start\nusername_0: It crashes, @username_1. See @property."
    "<issue_comment>username_1: Thanks @username_0, fixed.<issue_closed>"
)


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_threads_of_issues_are_documents_without_names_and_bots(tmp_path, stages, name):
    columns = {"events": "events", "repository": "repo", "path": "issue_number"}
    mapping = {"columns": columns, "license": "MIT", "domain": "issues"}
    bots = [{"author": "renovate", "title": "Bump", "text": "Bump x", "action": "opened"}]
    rows = [{"repo": "o/r", "issue_number": 1, "events": THREAD}, {"repo": "o/r", "issue_number": 2, "events": bots}]
    root = table(tmp_path / "mine", {name: [*rows, {"repo": "o/r", "issue_number": 3, "events": None}]}, mapping)
    out = stages.out()
    collect(out, ("mine", root))
    (kept,) = stages.kept(out)
    assert (kept["text"], kept["domain"], kept["language"], kept["path"]) == (TOLD, "issues", "Text", "1")
    assert {row["path"]: row["reason"] for row in stages.rejected(out)} == {"2": "empty", "3": "no_text"}


def test_events_of_another_form_are_said_to_be_so(tmp_path, stages):
    mapping = {"columns": {"events": "events", "repository": "repo"}, "license": "MIT", "domain": "issues"}
    odd = [{"repo": "o/r", "events": [1, {"author": 5, "text": ["x"]}, {"user": {"login": "jo"}, "body": "Hm"}]}]
    root = table(tmp_path / "a", {"a.jsonl": [*odd, {"repo": "o/r", "events": "text"}]}, mapping)
    out = stages.out()
    collect(out, ("mine", root))
    assert [row["text"] for row in stages.kept(out)] == ["<issue_start>username_0: Hm"]
    assert [row["reason"] for row in stages.rejected(out)] == ["wrong_type"]
    root = table(tmp_path / "b", {"a.parquet": [{"repo": "o/r", "events": "text"}]}, mapping)
    with pytest.raises(SchemaError, match="column 'events' of type string, which cannot be events"):
        collect(stages.out(), ("mine", root))
    with pytest.raises(ValueError, match="events are named for the domain issues"):
        collect(stages.out(), ("mine", table(tmp_path / "c", {"a.jsonl": odd}, {**mapping, "domain": "code"})))
