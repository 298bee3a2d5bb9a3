"""Finished shards are brought instead of made: from an earlier output under any name, and from what a killed run left."""

import json
import os
import shutil
from pathlib import Path

import pytest

from corpora import records, reuse, shards
from corpora.code.filter import FilterConfig, filter_code
from corpora.code.fim import FimConfig, apply_fim
from corpora.code.order import OrderConfig, order_repositories
from corpora.engine import Engine
from corpora.layout import TokenizeConfig
from corpora.reuse import Collected, Earlier, Linked
from corpora.reuse_tokens import Sliced
from corpora.tokenize import tokenize

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")
MAPS = {
    filter_code: FilterConfig(),
    order_repositories: OrderConfig(),
}


def repositories(document, names):
    """One repository a shard, with two files each; the second is rejected by the filter."""
    return [
        document(text, path=path, repository=name, split="heldout" if name == "gamma" else "train")
        for name in names
        for path, text in (("a.py", f"def {name}(x):\n    return x\n" * 3), ("b.py", "x = 1\n" + "y" * 3000 + name))
    ]


def documents(stages, document, names):
    """A folder with one shard for each repository."""
    folder = stages.documents([], num_shards=len(names))
    for index, name in enumerate(names):
        rows = repositories(document, [name])
        shards.write(folder / "kept" / shards.shard_name(index, len(names)), rows, records.DOCUMENT)
    return folder


def build(kind, function, out, source, earlier=None, **inputs):
    """Do what the runner does around a stage function; give the notes."""
    out.mkdir(parents=True, exist_ok=True)
    digests = {str(path): shards.sha256(path) for path in shards.shard_paths(source / "kept")}
    known = (
        {note["input"]: Earlier(earlier, name) for name, note in manifest(earlier)["shards"].items()} if earlier else {}
    )
    engine = Engine(reuse=kind(out=out, inputs=digests, earlier=known))
    metrics = function(out, documents=source, engine=engine, **inputs)
    notes = reuse.read_notes(out)
    for path in (out / reuse.NOTES).iterdir():
        path.unlink()
    (out / reuse.NOTES).rmdir()
    files = {str(p.relative_to(out)): reuse.describe(p) for p in sorted(out.rglob("*")) if p.is_file()}
    shards.write_json(out.with_suffix(".metrics"), metrics)
    (out / "manifest.json").write_text(json.dumps({"files": files, "shards": notes}, sort_keys=True))
    return notes


def manifest(folder: Path):
    return json.loads((folder / "manifest.json").read_text())


def unlike(first: Path, second: Path):
    """Outputs and metrics that differ."""
    ours, theirs = (manifest(folder)["files"] for folder in (first, second))
    metrics = [folder.with_suffix(".metrics").read_text() for folder in (first, second)]
    return {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)} | (
        {"metrics"} if metrics[0] != metrics[1] else set()
    )


@pytest.mark.parametrize("function", MAPS, ids=lambda function: function.__name__)
def test_one_repository_more_costs_one_shard(function, stages, document, tmp_path):
    config = MAPS[function]
    old, new = documents(stages, document, NAMES[:4]), documents(stages, document, (*NAMES[:2], "new", *NAMES[2:4]))
    build(Linked, function, tmp_path / "old", old, config=config)
    notes = build(Linked, function, tmp_path / "new", new, tmp_path / "old", config=config)
    build(Linked, function, tmp_path / "alone", new, config=config)
    assert [name for name in notes if "reused" not in notes[name]] == [shards.shard_name(2, 5)]
    assert unlike(tmp_path / "new", tmp_path / "alone") == set()
    first = tmp_path / "old" / "kept" / shards.shard_name(0, 4)
    assert first.samefile(tmp_path / "new" / "kept" / shards.shard_name(0, 5))
    shutil.rmtree(tmp_path / "old")  # as `clean` does
    assert all(reuse.same(tmp_path / "new" / name, was) for name, was in manifest(tmp_path / "new")["files"].items())


@pytest.mark.parametrize("names", [("alpha", "beta", "new", "gamma", "delta"), ("delta", "alpha"), ("beta",)])
def test_tokens_are_cut_out_of_what_they_were_joined_in(names, stages, document, base, tmp_path):
    old, new = (arranged(documents(stages, document, some), tmp_path) for some in (NAMES[:4], names))
    config = TokenizeConfig()
    build(Sliced, tokenize, tmp_path / "old", old, base=base, config=config)
    notes = build(Sliced, tokenize, tmp_path / "new", new, tmp_path / "old", base=base, config=config)
    build(Sliced, tokenize, tmp_path / "alone", new, base=base, config=config)
    assert sum("reused" not in note for note in notes.values()) == ("new" in names)
    assert unlike(tmp_path / "new", tmp_path / "alone") == set()


def arranged(source, tmp_path):
    order, fim = tmp_path / f"order{source.name}", tmp_path / f"fim{source.name}"
    order_repositories(order, documents=source, config=OrderConfig(), engine=Engine())
    apply_fim(fim, documents=order, config=FimConfig(rate=0.5), engine=Engine())
    return fim


def test_a_damaged_earlier_shard_is_made_again(stages, document, tmp_path, capsys):
    source = documents(stages, document, NAMES[:2])
    build(Linked, filter_code, tmp_path / "old", source, config=FilterConfig())
    broken = tmp_path / "old" / "kept" / shards.shard_name(1, 2)
    broken.write_bytes(broken.read_bytes()[:-1])
    notes = build(Linked, filter_code, tmp_path / "new", source, tmp_path / "old", config=FilterConfig())
    assert ["reused" in note for note in notes.values()] == [True, False]
    assert f"{broken} is not as its manifest says" in capsys.readouterr().out
    assert shards.num_rows(tmp_path / "new" / "kept" / shards.shard_name(1, 2)) == 1


@pytest.mark.parametrize("how", ["truncated", "gone", "note"])
def test_a_damaged_shard_of_a_killed_run_is_made_again_and_named(how, stages, document, tmp_path, capsys):
    source = documents(stages, document, NAMES[:3])
    digests = {str(path): shards.sha256(path) for path in shards.shard_paths(source / "kept")}
    out, name = tmp_path / "out.partial", shards.shard_name(1, 3)
    engine = Engine(reuse=Linked(out=out, inputs=digests))
    metrics = filter_code(out, documents=source, config=FilterConfig(), engine=engine)
    before = {path: path.read_bytes() for path in out.rglob("*.parquet")}
    damaged = {"note": out / reuse.NOTES / f"{name}.json"}.get(how, out / "kept" / name)
    damaged.write_bytes(damaged.read_bytes()[:100])
    if how == "gone":
        damaged.unlink()
    capsys.readouterr()
    assert filter_code(out, documents=source, config=FilterConfig(), engine=engine) == metrics
    assert {path: path.read_bytes() for path in out.rglob("*.parquet")} == before
    assert f"{damaged} of a killed run is not as it was written" in capsys.readouterr().out


def test_a_link_that_cannot_be_is_a_copy(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("text")
    monkeypatch.setattr(os, "link", _refuse)
    reuse.link(tmp_path / "a", tmp_path / "below" / "b")
    assert (tmp_path / "below" / "b").read_text() == "text"


def _refuse(*_):
    raise OSError("another file system")


def test_a_work_list_is_known_by_the_files_that_it_names(tmp_path):
    root = tmp_path / "root"
    (root / "package").mkdir(parents=True)
    (root / "LICENSE").write_text("MIT")
    (root / "package" / "a.py").write_text("x = 1\n")
    lists = tmp_path / "part-00000-of-00001.parquet.json"

    def key(**fields):
        repository = {"root": str(root), "files": ["package/a.py"], "revision": "1", "kind": "folder", **fields}
        shards.write_json(lists, [{"repository": repository}])
        return Collected(out=tmp_path, inputs={}).key(lists)

    found = [key()]
    assert key() == found[0]
    for file in (root / "package" / "a.py", root / "LICENSE"):
        os.utime(file, ns=(1, 1))
        found.append(key())
    (root / "package" / "LICENSE").write_text("BSD")
    found.append(key())
    (root / "package" / "a.py").unlink()
    found.append(key())
    found.append(key(revision="2"))
    assert len(set(found)) == len(found)
    assert key(kind="of a later version") is None
