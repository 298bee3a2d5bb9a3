"""Collection: what is kept is licensed text with its origin; what is not has a reason; and the choice is by digests alone."""

import ast
import collections
import doctest
import importlib.metadata
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records, shards
from corpora.code.license import PERMISSIVE, allowed
from corpora.collect import (
    FIXTURE,
    CollectCodeConfig,
    CollectTextConfig,
    Sources,
    collect_code,
    collect_text,
    inventory,
    list_repositories,
)
from corpora.engine import Engine
from corpora.sources import Repository, installed
from corpora.sources.plan import make_plan
from corpora.sources.read import read_text

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
APACHE = (FIXTURE / "toolbox" / "LICENSE").read_text()
ENOUGH = {"budget_bytes": 10**7, "max_repository_bytes": 10**7, "num_shards": 3, "seed": 1}


def config(kind=CollectCodeConfig, **changes):
    return kind(**{"kinds": ("folders",), **ENOUGH, **changes})


def collect(stages, sources=(), *, workers=1, out=None, **changes):
    out = out or stages.out()
    metrics = collect_code(
        out, config=config(**changes), sources=Sources(folders=tuple(sources)), engine=Engine(workers=workers)
    )
    return out, metrics


@pytest.fixture
def fixture_out(stages):
    return collect(stages, kinds=("fixture",))


@pytest.fixture
def project(tmp_path):
    """A folder with a licence, and a part of it with another."""
    root = tmp_path / "project"
    files = {
        "LICENSE": MIT,
        "a.py": "a = 1\n",
        "part/LICENSE.txt": APACHE,
        "part/deep/b.py": "b = 1\n",
        "part/tagged.py": "# SPDX-License-Identifier: GPL-3.0-only\n",
        "secret/COPYING": "All rights reserved.",
        "secret/c.py": "c = 1\n",
        "README.md": "# Words\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def git(root, *arguments):
    command = ["git", "-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


# The fixture ------------------------------------------------------------------------------------------------------------


def test_kept_documents_are_unique_licensed_and_traceable(stages, fixture_out):
    out, metrics = fixture_out
    kept = stages.kept(out)
    assert len({row["id"] for row in kept}) == len(kept) == metrics["kept"]
    assert metrics["bytes"] == sum(len(row["text"].encode()) for row in kept)
    assert {row["split"] for row in kept} == {"train", "heldout"}
    for row in kept:
        assert (FIXTURE / row["repository"] / row["path"]).read_text(encoding="utf-8-sig") == row["text"]
        assert allowed(row["license"], PERMISSIVE)
        assert (row["source"], row["language"], row["domain"], row["stars"]) == ("fixture", "Python", "code", None)


def test_what_is_no_text_or_has_no_licence_is_rejected_with_its_reason(stages, fixture_out):
    out, metrics = fixture_out
    reasons = {(row["repository"], row["path"]): row["reason"] for row in stages.rejected(out)}
    assert reasons == {
        ("odd-files", "latin1.py"): "not_utf8",
        ("odd-files", "empty.py"): "empty",
        ("odd-files", "binary.py"): "binary",
        ("no-license", "secret.py"): "license_not_allowed",
    }
    assert (metrics["rejected"], metrics["unread_bytes"]) == (4, 0)


def test_the_fixture_holds_what_the_later_stages_are_tested_with(stages, fixture_out):
    texts = collections.Counter(row["text"] for row in stages.kept(fixture_out[0]))
    assert max(texts.values()) == 2  # an exact duplicate
    assert any(
        "def truncate_number" in text and "return number % 1.0" in text for text in texts
    )  # a benchmark's answer
    assert any("DO NOT EDIT" in text for text in texts)
    with pytest.raises(SyntaxError):
        ast.parse((FIXTURE / "odd-files" / "broken.py").read_text())
    assert sum(path.stat().st_size for path in FIXTURE.rglob("*") if path.is_file()) < 500_000


def test_the_doctests_of_the_toolbox_pass():
    finder, runner, functions = doctest.DocTestFinder(), doctest.DocTestRunner(), 0
    for path in (FIXTURE / "toolbox").glob("*.py"):
        module = type(doctest)(path.stem)
        exec(path.read_text(), module.__dict__)
        for test in finder.find(module, path.stem, module=False, globs=vars(module)):
            functions += bool(test.examples)
            runner.run(test)
    assert (functions >= 30, runner.failures) == (True, 0)


def test_text_is_documentation_without_lists_and_licences(stages):
    out = stages.out()
    collect_text(out, config=config(CollectTextConfig, kinds=("fixture",)), sources=Sources(), engine=Engine())
    kept = stages.kept(out)
    assert {row["path"].rpartition(".")[2] for row in kept} == {"md", "rst"}
    assert {(row["domain"], row["language"]) for row in kept} == {("text", "English")}


def test_a_repository_is_held_out_as_code_and_as_text(stages):
    plans = [
        make_plan(
            config(kinds=("fixture",), heldout_fraction=0.3),
            list_repositories(config(kinds=("fixture",)), Sources()),
            domain,
        )[0]
        for domain in ("code", "text")
    ]
    splits = [{entry.repository.name: entry.split for entry in plan} for plan in plans]
    both = splits[0].keys() & splits[1].keys()
    assert {splits[0][name] for name in both} == {"train", "heldout"}
    assert [splits[0][name] for name in both] == [splits[1][name] for name in both]


def test_two_workers_write_the_bytes_of_one(stages, same_bytes):
    same_bytes(collect(stages, kinds=("fixture",))[0], collect(stages, kinds=("fixture",), workers=2)[0])


def test_a_finished_shard_is_taken_as_it_is(stages, same_bytes):
    whole, metrics = collect(stages, kinds=("fixture",))
    out = stages.out()
    shutil.copytree(whole, out, dirs_exist_ok=True)
    for name in (shards.shard_name(0, 3), shards.shard_name(2, 3)):
        (out / "kept" / name).unlink()
    before = (out / "kept" / shards.shard_name(1, 3)).stat().st_mtime_ns
    assert collect(stages, kinds=("fixture",), out=out)[1] == metrics
    assert (out / "kept" / shards.shard_name(1, 3)).stat().st_mtime_ns == before
    same_bytes(whole, out)


def test_a_repository_lies_whole_in_one_shard(stages, fixture_out):
    places = collections.defaultdict(set)
    for path in shards.shard_paths(fixture_out[0] / "kept"):
        for row in shards.read(path, records.DOCUMENT).to_pylist():
            places[row["repository"]].add(path.name)
    assert {len(names) for names in places.values()} == {1}


# The plan ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Forty repositories of five files of known sizes; every fourth one has a licence that is not allowed."""
    root, found = tmp_path_factory.mktemp("many"), []
    for number in range(40):
        folder = root / f"r{number}"
        folder.mkdir()
        for file in range(5):
            (folder / f"{file}.py").write_text("x" * (100 + 37 * file + number))
        license_ = "MIT" if number % 4 else "GPL-3.0-only"
        files = tuple(f"{file}.py" for file in range(5))
        found.append(
            Repository(
                name=folder.name,
                source="s",
                revision="1",
                root=str(folder),
                files=files,
                license=license_,
                license_evidence="test",
            )
        )
    return found


@given(
    budget=st.integers(1, 30_000),
    most=st.integers(1, 2_000),
    fraction=st.sampled_from([0.0, 0.1, 0.5, 0.99]),
    random=st.randoms(use_true_random=False),
)
def test_the_plan_keeps_to_its_budgets_whatever_the_order_of_the_listing(many, budget, most, fraction, random):
    settings = config(budget_bytes=budget, max_repository_bytes=most, heldout_fraction=fraction)
    plan, unread = make_plan(settings, many, "code")
    assert make_plan(settings, random.sample(many, len(many)), "code") == (plan, unread)
    sizes = [sum(entry.repository.path(file).stat().st_size for file in entry.repository.files) for entry in plan]
    assert sum(sizes) <= budget
    assert max(sizes, default=0) <= most
    everything = sum(one.path(file).stat().st_size for one in many for file in one.files if one.license == "MIT")
    assert unread == everything - sum(sizes)
    assert all(entry.permitted == (entry.repository.license == "MIT") for entry in plan)
    readable = [entry for entry in plan if entry.repository.files]
    heldout = [entry for entry in plan if entry.split == "heldout"]
    assert len(heldout) < max(len(readable), 1)
    assert bool(heldout) == (fraction > 0 and len(readable) > 1)


def test_the_held_out_share_is_a_share_of_the_repositories(many):
    plan, _ = make_plan(config(heldout_fraction=0.2, licenses=(*PERMISSIVE, "GPL-3.0-only")), many, "code")
    assert sum(entry.split == "heldout" for entry in plan) == 8


def test_another_seed_is_another_choice(many):
    plans = [make_plan(config(seed=seed, budget_bytes=2_000), many, "code")[0] for seed in (1, 2)]
    assert [entry.repository.name for entry in plans[0]] != [entry.repository.name for entry in plans[1]]


def test_a_file_over_the_cap_is_rejected_and_costs_no_budget(stages, project):
    (project / "large.py").write_text("x" * 5000)
    out, _ = collect(stages, [("mine", str(project))], max_file_bytes=4000, budget_bytes=1000)
    (row,) = (row for row in stages.rejected(out) if row["path"] == "large.py")
    assert (row["reason"], row["value"], row["bound"]) == ("file_bytes", 5000.0, 4000.0)
    assert "a.py" in {row["path"] for row in stages.kept(out)}


# Folders and checkouts --------------------------------------------------------------------------------------------------


def test_the_nearest_licence_holds_and_a_tag_wins(stages, project):
    out, _ = collect(stages, [("mine", str(project))])
    kept = {row["path"]: (row["license"], row["license_evidence"]) for row in stages.kept(out)}
    assert kept == {"a.py": ("MIT", "LICENSE"), "part/deep/b.py": ("Apache-2.0", "part/LICENSE.txt")}
    rejected = {row["path"]: row["evidence"] for row in stages.rejected(out)}
    assert rejected == {
        "part/tagged.py": "GPL-3.0-only (SPDX-License-Identifier)",
        "secret/c.py": "unknown (secret/COPYING: not a known licence text)",
    }


def test_links_are_not_followed(stages, project, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.py").write_text("o = 1\n")
    (project / "link.py").symlink_to(tmp_path / "outside" / "o.py")
    (project / "folder").symlink_to(tmp_path / "outside")
    (project / "loop").symlink_to(project)
    out, _ = collect(stages, [("mine", str(project))])
    assert {row["path"] for row in stages.kept(out)} == {"a.py", "part/deep/b.py"}


def test_a_name_that_is_no_text_is_left_out(stages, project):
    (project / os.fsdecode(b"b\xff.py")).write_text("b = 1\n")
    assert collect(stages, [("mine", str(project))])[1]["kept"] == 2


def test_a_missing_folder_and_a_reserved_name_are_refused(stages, tmp_path):
    with pytest.raises(ValueError, match=rf"luigi\.cfg \[sources\] mine = {tmp_path}/none: no such folder"):
        collect(stages, [("mine", f"{tmp_path}/none")])
    with pytest.raises(ValueError, match=r"luigi\.cfg \[sources\] installed = .*choose another name"):
        collect(stages, [("installed", str(tmp_path))])


def test_the_identity_of_a_folder_changes_with_any_file(project):
    sources, seen = Sources(folders=(("mine", str(project)),)), set()
    edits = [
        lambda: None,
        lambda: (project / "a.py").write_text("a = 22\n"),
        (project / "n.py").touch,
        (project / "n.py").unlink,
    ]
    for edit in edits:
        edit()
        seen.add(inventory(config(), sources)["mine"])
    assert len(seen) == 3  # the last edit brings the second state back


def test_a_checkout_is_read_at_its_commit_without_ignored_files(stages, project):
    (project / ".gitignore").write_text("build/\n")
    (project / "build").mkdir()
    (project / "build" / "made.py").write_text("m = 1\n")
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "first")
    commit = git(project, "rev-parse", "HEAD")
    sources = [("mine", str(project))]
    first = inventory(config(), Sources(folders=tuple(sources)))
    kept = stages.kept(collect(stages, sources)[0])
    assert {(row["path"], row["revision"]) for row in kept} == {("a.py", commit), ("part/deep/b.py", commit)}
    assert all(row["date"].startswith("20") for row in kept)
    (project / "new.py").write_text("n = 1\n")
    assert inventory(config(), Sources(folders=tuple(sources))) != first
    kept = stages.kept(collect(stages, sources)[0])
    assert {row["path"] for row in kept} == {"a.py", "part/deep/b.py", "new.py"}
    assert {row["revision"] for row in kept} == {f"{commit}-dirty"}
    (project / "build" / "made.py").write_text("m = 2\n")
    (project / "new.py").unlink()
    assert inventory(config(), Sources(folders=tuple(sources))) == first


@pytest.fixture
def checkout(project):
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "first")
    return project


def test_every_change_of_a_checkout_is_another_identity(checkout):
    def identity(folder):
        return inventory(config(), Sources(folders=(("mine", str(folder)),)))["mine"]

    edits = [
        lambda: None,
        lambda: (checkout / "part/deep/b.py").write_text("b = 2\n"),
        lambda: (checkout / "part/deep/b.py").write_text("b = 33\n"),  # a changed file that changes again
        lambda: (checkout / "part/n é.py").write_text("n = 1\n"),
        lambda: (checkout / "part/n é.py").write_text("n = 12\n"),
        (checkout / "part/tagged.py").unlink,
        lambda: git(checkout, "add", "--all"),
        lambda: git(checkout, "commit", "-q", "-m", "second"),
    ]
    seen = []
    for edit in edits:
        edit()
        os.utime(checkout / "a.py")  # a time stamp is no change
        seen.append((identity(checkout), identity(checkout / "part")))
        assert seen[-1][0] == identity(checkout)
    assert [len(set(identities)) for identities in zip(*seen, strict=True)] == [len(edits), len(edits)]


def test_a_folder_that_a_checkout_ignores_is_a_plain_one(stages, checkout):
    (checkout / ".gitignore").write_text("data/\n")
    shutil.copytree(checkout / "part", checkout / "data")
    sources = [("mine", str(checkout / "data"))]
    kept = stages.kept(collect(stages, sources)[0])
    assert [(row["path"], row["revision"]) for row in kept] == [("deep/b.py", "")]
    before = inventory(config(), Sources(folders=tuple(sources)))
    (checkout / "data/deep/b.py").write_text("b = 33\n")
    assert inventory(config(), Sources(folders=tuple(sources))) != before


def test_a_tracked_folder_that_became_a_link_is_not_followed(stages, checkout, tmp_path):
    (checkout / "part" / "deep").rename(tmp_path / "outside")
    (checkout / "part" / "deep").symlink_to(tmp_path / "outside")
    kept = stages.kept(collect(stages, [("mine", str(checkout))])[0])
    assert {row["path"] for row in kept} == {"a.py"}


def test_a_folder_of_checkouts_is_many_repositories(stages, project, tmp_path):
    home = tmp_path / "src"
    for name in ("one", "two"):
        shutil.copytree(project, home / name)
    git(home / "one", "init", "-q")
    kept = stages.kept(collect(stages, [("src", str(home))])[0])
    assert {row["repository"] for row in kept} == {"src/one", "src/two"}
    assert {row["split"] for row in kept} == {"train", "heldout"}


# What is installed ------------------------------------------------------------------------------------------------------

DISTRIBUTIONS = {
    "expression": "License-Expression: MIT OR GPL-3.0-only\n",
    "classifier": "Classifier: License :: OSI Approved :: BSD License\n",
    "field": "License: Apache 2.0\n",
    "textfile": "License-File: LICENSE\n",
    "copyleft": "License-Expression: GPL-3.0-only\n",
    "nothing": "",
    "Edited_Here": "License-Expression: MIT\n",
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages folder with one distribution for each way to state a licence, and no standard library."""
    root = tmp_path / "site-packages"
    for name, lines in DISTRIBUTIONS.items():
        info = f"{name}-1.0.dist-info"
        files = {
            f"{name}/__init__.py": f"name = '{name}'\n",
            f"{name}/_vendor/x.py": "",
            f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{lines}\nWords.\n",
        }
        if name == "textfile":
            files[f"{info}/licenses/LICENSE"] = MIT
        if name.startswith("Edited"):
            files[f"{info}/direct_url.json"] = '{"dir_info": {"editable": true}, "url": "file:///x"}'
        for file, text in files.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
        (root / info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]))
    found = importlib.metadata.distributions
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: found(path=[str(root)]))
    (tmp_path / "library").mkdir()
    monkeypatch.setattr(installed.sysconfig, "get_path", lambda _: str(tmp_path / "library"))
    return root


def test_each_way_to_state_a_licence_is_read_and_named(stages, site):
    out, metrics = collect(stages, kinds=("installed",))
    assert {row["repository"]: (row["license"], row["license_evidence"]) for row in stages.kept(out)} == {
        "expression": ("MIT OR GPL-3.0-only", "License-Expression"),
        "classifier": ("BSD-3-Clause", "classifiers"),
        "field": ("Apache-2.0", "License field"),
        "textfile": ("MIT", "textfile-1.0.dist-info/licenses/LICENSE"),
    }
    assert {row["repository"]: row["evidence"] for row in stages.rejected(out)} == {
        "copyleft": "GPL-3.0-only (License-Expression)",
        "nothing": "unknown (no expression, classifier, field or licence file)",
    }
    assert metrics["repositories"] == 6


def test_the_description_of_a_distribution_is_text(stages, site):
    out = stages.out()
    collect_text(out, config=config(CollectTextConfig, kinds=("installed",)), sources=Sources(), engine=Engine())
    assert {row["repository"]: row["text"] for row in stages.kept(out)} == dict.fromkeys(
        ("expression", "classifier", "field", "textfile"), "Words.\n"
    )


def test_the_identity_of_what_is_installed_is_free_of_compiled_files(site):
    first = inventory(config(kinds=("installed",)), Sources())
    record = site / "field-1.0.dist-info" / "RECORD"
    lines = record.read_text()
    record.write_text(f"{lines}field/__pycache__/__init__.cpython-311.pyc,,\n../../bin/field,sha256=x,9\n")
    assert inventory(config(kinds=("installed",)), Sources()) == first
    record.write_text(f"{lines}field/more.py,sha256=x,9\n")
    assert inventory(config(kinds=("installed",)), Sources()) != first


def test_this_interpreter_is_listed_with_licences():
    found = {one.name: one for one in list_repositories(config(kinds=("installed",)), Sources())}
    assert found["python"].license == "PSF-2.0"
    assert "argparse.py" in found["python"].files
    assert not any("/test/" in file or file.startswith("test/") for file in found["python"].files)
    assert found["luigi"].license == "Apache-2.0"
    assert allowed(found["numpy"].license, PERMISSIVE)
    assert list(found)[1:] == sorted(list(found)[1:])


# Files ------------------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_file_is_text_or_has_a_reason(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.py"
    path.write_bytes(data)
    found = read_text(path, 50)
    if isinstance(found, str):
        assert found.strip()
        assert "\r" not in found
        assert "\x00" not in found
        assert found.encode() == data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    else:
        assert found["reason"] in {"file_bytes", "binary", "not_utf8", "empty"}


def test_a_file_that_went_away_is_a_rejection(tmp_path):
    assert read_text(tmp_path / "gone.py", 50) == {"reason": "unreadable", "evidence": "No such file or directory"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": ("hub",)}, "CollectCodeConfig.kinds must be of installed, folders, fixture, got 'hub'"),
        ({"num_shards": 0}, "num_shards must be at least 1, got 0"),
        ({"heldout_fraction": 1.0}, "heldout_fraction must be at least 0 and below 1, got 1.0"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
