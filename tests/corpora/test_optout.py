"""Opt-out: a line takes an owner or a repository out however its name is written, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.code.optout import opted_out, read_opt_outs, repository_name
from corpora.collect import FIXTURE, CollectCodeConfig, Sources, collect_code, inventory
from corpora.engine import Engine

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}[a-z0-9]", fullmatch=True).filter(
    lambda name: not name.endswith(".git")
)


@given(names, names, names)
def test_a_line_takes_its_own_out_and_no_other(owner, repository, other):
    full = f"{owner}/{repository}"
    for written in (full, full.upper(), f"https://host.org/{full}.git", f"git@host.org:{full}", f"{full}/sub/group"):
        assert opted_out({owner}, written) == owner
        assert opted_out({full}, written) == full
    if other not in (owner, repository):
        assert opted_out({other, f"{other}/{repository}", f"{owner}/{other}", repository + "x"}, full) is None


@given(st.text(max_size=60))
def test_any_text_is_read(text):
    name = repository_name(text)
    assert repository_name(name) == name.removesuffix(".git").rstrip("/")


def test_any_of_a_repositorys_names_takes_it_out():
    assert opted_out({"ann/tool"}, "mine/checkout", "", "https://github.com/Ann/Tool") == "ann/tool"
    assert opted_out(set(), "mine/checkout") is None


def test_comments_and_order_do_not_change_what_a_list_is(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    first.write_text("# asked on 2026-01-02\nAnn\n\nbob/tool  # by mail\n")
    second.write_text("https://github.com/bob/tool.git\nann\n")
    third.write_text("ann\n")
    assert read_opt_outs(first) == {"ann", "bob/tool"}
    config = CollectCodeConfig(kinds=(), budget_bytes=1, max_repository_bytes=1)
    digests = [inventory(config, Sources(opt_out=str(path))) for path in (first, second, third)]
    assert digests[0] == digests[1] != digests[2]
    assert inventory(config, Sources()) == {}
    assert read_opt_outs(None) == frozenset()


def test_a_list_that_cannot_be_honoured_is_refused(tmp_path):
    bad = tmp_path / "list"
    bad.write_text("ann\nplease remove me\n")
    with pytest.raises(ValueError, match=r"list:2 must be an owner or owner/repository, got 'please remove me'"):
        read_opt_outs(bad)
    with pytest.raises(ValueError, match=r"gone cannot be read .*luigi\.cfg"):
        read_opt_outs(tmp_path / "gone")


def test_the_stage_rejects_by_the_line_and_reads_nothing(stages, tmp_path):
    (tmp_path / "list").write_text("# by mail\niniconfig\n")
    config = CollectCodeConfig(kinds=("fixture",), budget_bytes=2_000_000, max_repository_bytes=1_000_000, num_shards=2)
    out = stages.out()
    collect_code(out, config=config, sources=Sources(opt_out=str(tmp_path / "list")), engine=Engine())
    found = [(row["path"], row["evidence"]) for row in stages.rejected(out) if row["reason"] == "opted_out"]
    assert found == [("", "iniconfig")]
    assert {row["repository"] for row in stages.kept(out)} >= {"toolbox"}
    assert "iniconfig" not in {row["repository"] for row in stages.kept(out)}


def test_a_header_that_asks_for_more_than_the_repository_counts(stages, tmp_path):
    mit = (FIXTURE / "iniconfig" / "LICENSE").read_text()
    (tmp_path / "LICENSE").write_text(mit)
    (tmp_path / "a.py").write_text("# terms of the GNU General Public License\nx = 1\n")
    (tmp_path / "b.py").write_text("# Licensed under the Apache License, Version 2.0\nx = 2\n")
    (tmp_path / "c.py").write_text("x = 3\n")
    config = CollectCodeConfig(kinds=("folders",), budget_bytes=10_000, max_repository_bytes=10_000, heldout_fraction=0)
    out = stages.out()
    collect_code(out, config=config, sources=Sources(folders=(("mine", str(tmp_path)),)), engine=Engine())
    assert {row["path"]: row["license"] for row in stages.kept(out)} == {"b.py": "Apache-2.0 AND MIT", "c.py": "MIT"}
    assert [(row["path"], row["evidence"]) for row in stages.rejected(out)] == [
        ("a.py", "GPL-2.0-or-later AND MIT (header; LICENSE)")
    ]
