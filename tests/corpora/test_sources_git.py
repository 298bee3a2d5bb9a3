"""Checkouts, submodules, bare clones and commits: named by their remote, read without doing what their configuration says."""

import os
import shutil
import subprocess
import time

import pytest

from corpora.collect import FIXTURE, CollectCodeConfig, Sources, collect_code, inventory, list_repositories
from corpora.engine import Engine
from corpora.sources import commits, git

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
APACHE = (FIXTURE / "toolbox" / "LICENSE").read_text()
ENOUGH = {"budget_bytes": 10**9, "max_repository_bytes": 10**8, "num_shards": 2, "seed": 1, "kinds": ("folders",)}
SETTINGS = (
    "-c",
    "user.name=n",
    "-c",
    "user.email=e@x",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "protocol.file.allow=always",
)
CLEAN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


def run(root, *arguments, **environment):
    command = ["git", *SETTINGS, *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=CLEAN | environment
    ).stdout.strip()


def make(root, files, *, remote=""):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    run(root, "init", "-q", "-b", "main")
    commit(root, "Begin with these files")
    if remote:
        run(root, "remote", "add", "origin", remote)
    return root


def commit(root, message, *, author="n <e@x>", when="2024-05-06T07:08:09+02:00"):
    run(root, "add", "--all")
    run(root, "commit", "-q", "-m", message, "--author", author, GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)
    return run(root, "rev-parse", "HEAD")


def collect(stages, root, *, opt_out=None, **changes):
    out = stages.out()
    sources = Sources(folders=(("mine", str(root)),), opt_out=opt_out and str(opt_out))
    collect_code(out, config=CollectCodeConfig(**ENOUGH | changes), sources=sources, engine=Engine())
    return stages.kept(out), stages.rejected(out)


def identity(root):
    return inventory(CollectCodeConfig(**ENOUGH), Sources(folders=(("mine", str(root)),)))["mine"]


def listed(root):
    return list(list_repositories(CollectCodeConfig(**ENOUGH), Sources(folders=(("mine", str(root)),))))


@pytest.fixture
def checkout(tmp_path):
    return make(tmp_path / "tool", {"LICENSE": MIT, "a.py": "a = 1\n"})


# Names ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/Ann/Tool.git", "ann/tool"),
        ("https://ann:s3cret@github.com/ann/tool", "ann/tool"),
        ("https://ann:s3/cret@github.com/ann/tool", "mine"),
        ("https://host/ann/tool.git?private_token=s3cret", "mine"),
        ("git@gitlab.com:group/part/tool.git", "group/part/tool"),
        ("ssh://git@host:2222/ann/tool.git", "ann/tool"),
        ("/srv/git/s3cret/tool.git", "mine"),
        ("file:///srv/git/s3cret/tool.git", "mine"),
        ("../s3cret/tool", "mine"),
    ],
)
def test_a_checkout_is_called_as_its_remote_without_credentials(stages, checkout, address, name):
    run(checkout, "remote", "add", "origin", address)
    kept, _ = collect(stages, checkout)
    assert {row["repository"] for row in kept} == {name}
    assert "s3" not in repr(kept) + repr(listed(checkout))


def test_every_remote_can_be_opted_out(stages, checkout, tmp_path):
    run(checkout, "remote", "add", "origin", "https://github.com/fork/tool")
    run(checkout, "remote", "add", "upstream", "https://github.com/ann/tool")
    (tmp_path / "out.txt").write_text("Ann/Tool\n")
    kept, rejected = collect(stages, checkout, opt_out=tmp_path / "out.txt")
    assert (kept, [(row["repository"], row["reason"]) for row in rejected]) == ([], [("fork/tool", "opted_out")])


def test_two_clones_of_one_repository_keep_names_of_their_own(tmp_path):
    for place in ("one", "two"):
        make(tmp_path / "src" / place, {"LICENSE": MIT, "a.py": "a = 1\n"}, remote="https://github.com/ann/tool")
    make(tmp_path / "src" / "owner" / "repo", {"LICENSE": MIT, "a.py": "a = 1\n"})
    found = [one.name for one in listed(tmp_path / "src")]
    assert found == ["ann/tool", "owner/repo", "ann/tool/mine/two"]


def test_commit_and_date_are_those_of_the_head_however_git_keeps_it(stages, checkout):
    head = run(checkout, "rev-parse", "HEAD")
    changes = [
        lambda: None,
        lambda: run(checkout, "pack-refs", "--all"),
        lambda: run(checkout, "checkout", "-q", "--detach"),
    ]
    for change in changes:
        change()
        kept, _ = collect(stages, checkout)
        assert {(row["revision"], row["date"]) for row in kept} == {(head, "2024-05-06T07:08:09+02:00")}


def test_a_linked_working_tree_and_a_folder_in_a_checkout_are_read_with_its_commit(stages, checkout, tmp_path):
    (checkout / "part").mkdir()
    (checkout / "part" / "b.py").write_text("# SPDX-License-Identifier: MIT\n")
    head = commit(checkout, "Add a part to it")
    run(checkout, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    for root, files in ((tmp_path / "linked", {"a.py", "part/b.py"}), (checkout / "part", {"b.py"})):
        kept, _ = collect(stages, root)
        assert ({row["path"] for row in kept}, {row["revision"] for row in kept}) == (files, {head})


# Submodules -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def parent(tmp_path):
    """A checkout with a submodule that is there, with one of its own, and one that is not."""
    for name in ("child", "grandchild", "absent"):
        make(tmp_path / "origin" / name, {"LICENSE": APACHE, f"{name}.py": f"{name} = 1\n"})
    run(tmp_path / "origin/child", "submodule", "add", "-q", str(tmp_path / "origin/grandchild"), "deep")
    commit(tmp_path / "origin/child", "Add a module to it")
    root = make(tmp_path / "parent", {"LICENSE": MIT, "p.py": "p = 1\n"}, remote="https://github.com/ann/parent")
    run(root, "submodule", "add", "-q", str(tmp_path / "origin/child"), "vendor/child")
    run(root, "submodule", "add", "-q", str(tmp_path / "origin/absent"), "vendor/absent")
    commit(root, "Add two modules to it")
    run(root, "submodule", "update", "-q", "--init", "--recursive")
    run(root, "submodule", "deinit", "-q", "vendor/absent")
    run(root / "vendor/child", "remote", "set-url", "origin", "https://github.com/bob/child")
    return root


def test_a_submodule_is_a_repository_with_licence_commit_and_remote_of_its_own(stages, parent):
    kept, rejected = collect(stages, parent)
    assert {(row["repository"], row["path"], row["license"], row["revision"]) for row in kept} == {
        ("ann/parent", "p.py", "MIT", run(parent, "rev-parse", "HEAD")),
        ("bob/child", "child.py", "Apache-2.0", run(parent / "vendor/child", "rev-parse", "HEAD")),
        (
            "mine/vendor/child/deep",
            "grandchild.py",
            "Apache-2.0",
            run(parent / "vendor/child/deep", "rev-parse", "HEAD"),
        ),
    }
    assert [(row["repository"], row["path"], row["reason"]) for row in rejected] == [
        ("ann/parent", "vendor/absent", "submodule")
    ]


def test_a_change_in_a_submodule_is_another_identity(parent):
    seen = [identity(parent)]
    for path in ("vendor/child/child.py", "vendor/child/deep/grandchild.py"):
        (parent / path).write_text("changed = 1\n")
        seen.append(identity(parent))
    assert len(set(seen)) == 3 == len({*seen, identity(parent)})


def test_a_submodule_that_leads_out_is_not_followed(stages, parent, tmp_path):
    secret = make(tmp_path / "secret", {"LICENSE": MIT, "canary.py": "canary = 1\n"})
    (parent / "vendor/child/.git").write_text(f"gitdir: {secret}/.git\n")
    kept, rejected = collect(stages, parent)
    assert {row["path"] for row in kept} == {"p.py"}
    assert ("mine/vendor/child", "git") in {(row["repository"], row["reason"]) for row in rejected}
    shutil.rmtree(parent / "vendor/child")
    (parent / "vendor/child").symlink_to(secret)
    kept, rejected = collect(stages, parent)
    assert "canary" not in repr(kept)
    assert {row["path"]: row["reason"] for row in rejected} == {
        "vendor/absent": "submodule",
        "vendor/child": "submodule",
    }


# Hostile configuration --------------------------------------------------------------------------------------------------


def program(path, target):
    path.write_text(f"#!/bin/sh\necho ran >> {target}\ncat\n")
    path.chmod(0o755)
    return path


HOSTILE = {
    "fsmonitor": "[core]\n\tfsmonitor = {program}\n",
    "hooks": "[core]\n\thooksPath = {folder}\n",
    "clean": '[filter "x"]\n\tclean = {program}\n\tsmudge = {program}\n\trequired = true\n',
    "process": '[filter "x"]\n\tprocess = {program}\n',
    "textconv": '[diff "x"]\n\ttextconv = {program}\n\tcommand = {program}\n[diff]\n\texternal = {program}\n',
    "pager": "[core]\n\tpager = {program}\n\teditor = {program}\n[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {program}\n",
    "transport": "[core]\n\tsshCommand = {program}\n[extensions]\n\tpartialClone = origin\n[protocol]\n\tallow = always\n"
    '[remote "origin"]\n\turl = ext::{program}\n\tpromisor = true\n\tuploadpack = {program}\n',
    "alias": "[alias]\n\tstatus = !{program}\n\tls-files = !{program}\n\tcat-file = !{program}\n",
    "include": "[include]\n\tpath = {include}\n",
    "work tree": "[core]\n\tworktree = {outside}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_the_configuration_of_a_repository_names_is_run(stages, checkout, tmp_path, name):
    ran, outside = tmp_path / "ran", tmp_path / "outside"
    outside.mkdir()
    (outside / "canary.py").write_text("canary = 1\n")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    tool = program(tmp_path / "tool.sh", ran)
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit", "reference-transaction"):
        program(hooks / hook, ran)
    (tmp_path / "include").write_text(f'[core]\n\tfsmonitor = {tool}\n[filter "x"]\n\tclean = {tool}\n')
    (checkout / ".gitattributes").write_text("* filter=x diff=x\n")
    (checkout / ".git/info/attributes").write_text("* filter=x diff=x\n")
    head = commit(checkout, "Ask for a filter")
    (checkout / "a.py").write_text("a = 2\n")
    head = commit(checkout, "Change a number in it")
    for hook in hooks.iterdir():
        shutil.copy(hook, checkout / ".git/hooks")
    text = HOSTILE[name].format(program=tool, folder=hooks, include=tmp_path / "include", outside=outside)
    with (checkout / ".git/config").open("a") as config:
        config.write(text)
    time.sleep(0.01)
    os.utime(checkout / "a.py")  # git has to look into the file
    first = identity(checkout)
    kept, rejected = collect(stages, checkout, domains=("code", "commits"))
    assert not ran.exists()
    assert {(row["path"], row["revision"], row["domain"]) for row in kept} == {
        ("a.py", head, "code"),
        ("a.py", head, "commits"),
    }
    assert "canary" not in repr(kept) + repr(rejected)
    assert identity(checkout) == first


def test_the_test_above_can_fail(checkout, tmp_path):
    """Plain git runs the filter that the repository names."""
    tool = program(tmp_path / "tool.sh", tmp_path / "ran")
    (checkout / ".gitattributes").write_text("* filter=x\n")
    with (checkout / ".git/config").open("a") as config:
        config.write(f'[filter "x"]\n\tclean = {tool}\n')
    os.utime(checkout / "a.py", ns=(0, 0))
    run(checkout, "status", "--porcelain")
    assert (tmp_path / "ran").exists()


def test_a_checkout_of_another_owner_is_read_and_left_as_it_is(stages, checkout):
    if os.getuid():
        pytest.skip("only root can give files away")
    for path in (checkout, *checkout.rglob("*")):
        os.lchown(path, 65534, 65534)
    os.utime(checkout / "a.py")
    before = {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in checkout.rglob("*")}
    kept, _ = collect(stages, checkout)
    assert [row["revision"] for row in kept] == [run(checkout, "-c", "safe.directory=*", "rev-parse", "HEAD")]
    assert {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in checkout.rglob("*")} == before


def elsewhere(root, kind, target):
    place = root / ".git" / kind
    if place.is_dir():
        shutil.rmtree(place)
    elif place.exists():
        place.unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


DAMAGE = {
    "alternates": lambda root, other: (
        (root / ".git/objects/info").mkdir(exist_ok=True)
        or (root / ".git/objects/info/alternates").write_text(f"{other}/.git/objects\n")
    ),
    "objects elsewhere": lambda root, other: elsewhere(root, "objects", other / ".git/objects"),
    "packs elsewhere": lambda root, other: elsewhere(root, "objects/pack", other / ".git/objects/pack"),
    "index elsewhere": lambda root, other: elsewhere(root, "index", other / ".git/index"),
    "index is a pipe": lambda root, _: (root / ".git/index").unlink() or os.mkfifo(root / ".git/index"),
    "index of noise": lambda root, _: (root / ".git/index").write_bytes(b"noise" * 100),
    "no objects": lambda root, _: shutil.rmtree(root / ".git/objects"),
    "no head": lambda root, _: (root / ".git/HEAD").unlink(),
    "a head that is a pipe": lambda root, _: (root / ".git/HEAD").unlink() or os.mkfifo(root / ".git/HEAD"),
    "a head that leads out": lambda root, _: (root / ".git/HEAD").write_text("ref: refs/../../../x\n"),
    "a reftable": lambda root, _: (root / ".git/HEAD").write_text("ref: refs/heads/.invalid\n"),
    "a git folder that is a link": lambda root, other: (
        shutil.rmtree(root / ".git") or (root / ".git").symlink_to(other / ".git")
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_repository_that_git_cannot_be_asked_about_is_refused(stages, tmp_path, name):
    other = make(
        tmp_path / "other", {"LICENSE": MIT, "canary.py": "canary = 1\n"}, remote="https://github.com/own/canary"
    )
    for place in ("bad", "good"):
        make(tmp_path / "src" / place, {"LICENSE": MIT, "a.py": "a = 1\n"})
    DAMAGE[name](tmp_path / "src/bad", other)
    identity(tmp_path / "src")
    kept, rejected = collect(stages, tmp_path / "src")
    assert [(row["repository"], row["path"]) for row in kept] == [("mine/good", "a.py")]
    assert [(row["repository"], row["path"], row["reason"]) for row in rejected] == [("mine/bad", "", "git")]
    assert "canary" not in repr(kept) + repr(rejected)


def test_links_pipes_and_odd_names_of_a_checkout_have_reasons(stages, checkout, tmp_path):
    (tmp_path / "outside.py").write_text("canary = 1\n")
    (checkout / "link.py").symlink_to(tmp_path / "outside.py")
    (checkout / "n\nl.py").write_text("n = 1\n")
    (checkout / os.fsdecode(b"b\xff.py")).write_text("b = 1\n")
    commit(checkout, "Add odd files to it")
    os.mkfifo(checkout / "pipe.py")
    make(checkout / "nested", {"LICENSE": MIT, "x.py": "x = 1\n"})
    kept, rejected = collect(stages, checkout)
    assert {row["path"] for row in kept} == {"a.py"}
    reasons = {row["path"]: row["reason"] for row in rejected}
    assert reasons.pop("pipe.py", None) in (None, "not_regular")  # git itself leaves pipes out
    assert reasons == {
        "link.py": "link",
        "n\\x0al.py": "file_name",
        "b\\xff.py": "file_name",
        "nested/": "nested_repository",
    }


# Bare clones ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path):
    files = {
        "LICENSE": MIT,
        "a.py": "a = 1\n",
        "part/LICENSE": APACHE,
        "part/b.py": "b = 1\n",
        "large.py": "x" * 1_000_001,
        "run": "#!/usr/bin/env python\n",
        "notes": "no script\n",
    }
    root = make(tmp_path / "work", files)
    (root / "link.py").symlink_to("/etc/passwd")
    (root / "n\nl.py").write_text("n = 1\n")
    commit(root, "Add odd files to it")
    run(tmp_path, "clone", "-q", "--mirror", str(root), "src/tool.git")
    run(tmp_path / "src/tool.git", "remote", "set-url", "origin", "https://github.com/ann/tool")
    return tmp_path / "src/tool.git"


@pytest.mark.parametrize("place", [".", ".."])
def test_a_bare_clone_is_read_at_its_head(stages, bare, place):
    kept, rejected = collect(stages, bare / place)
    head = run(bare, "rev-parse", "HEAD")
    assert {(row["repository"], row["path"], row["license"], row["revision"], row["date"]) for row in kept} == {
        ("ann/tool", path, license_, head, "2024-05-06T07:08:09+02:00")
        for path, license_ in (("a.py", "MIT"), ("part/b.py", "Apache-2.0"))
    }
    assert {row["path"]: row["reason"] for row in rejected} == {
        "large.py": "file_bytes",
        "link.py": "link",
        "n\\x0al.py": "file_name",
    }


def test_a_new_head_is_another_identity_and_other_references_are_not(bare):
    first = identity(bare)
    run(bare, "branch", "other")
    run(bare, "pack-refs", "--all")
    assert identity(bare) == first
    run(bare, "update-ref", "HEAD", "HEAD~1")
    assert identity(bare) != first


def test_objects_of_a_bare_clone_that_are_links_are_refused(stages, bare):
    run(bare, "repack", "-a", "-d", "-q")
    pack = next((bare / "objects/pack").glob("*.pack"))
    pack.rename(bare.parent.parent / pack.name)
    pack.symlink_to(bare.parent.parent / pack.name)
    kept, rejected = collect(stages, bare)
    assert (kept, [row["reason"] for row in rejected]) == ([], ["git"])


def test_a_tree_of_trees_ends(stages, tmp_path, monkeypatch):
    """A bomb: ten folders in each of ten folders, eight deep, in nine objects."""
    monkeypatch.setattr(git, "_OUTPUT_BYTES", 1 << 20)
    root = tmp_path / "src/bomb.git"
    run(tmp_path, "init", "-q", "--bare", str(root))
    below = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=root, input=b"x\n", capture_output=True, check=True
    )
    name, mode, kind = below.stdout.decode().strip(), "100644", "blob"
    for _ in range(9):
        entries = "".join(f"{mode} {kind} {name}\t{letter}.py\n" for letter in "abcdefghij").encode()
        tree = subprocess.run(["git", "mktree"], cwd=root, input=entries, capture_output=True, check=True)
        name, mode, kind = tree.stdout.decode().strip(), "040000", "tree"
    head = run(root, "commit-tree", name, "-m", "x")
    run(root, "update-ref", "HEAD", head)
    kept, rejected = collect(stages, root)
    assert kept == []
    assert "git ls-tree says more than" in rejected[0]["evidence"]


# Commits ----------------------------------------------------------------------------------------------------------------


def step(root, message, files, **who):
    for name, text in files.items():
        (root / name).write_text(text)
    return commit(root, message, **who)


@pytest.fixture
def history(tmp_path):
    """A repository with one commit for each rule."""
    root = make(
        tmp_path / "tool", {"LICENSE": MIT, "a.py": "a = 1\n", "b.py": "b = 1\n"}, remote="https://x.org/ann/tool"
    )
    ids = {
        "good": step(
            root, "Double the value of a\n\nIt was too small.\n\nSigned-off-by: Eve <eve@x.org>", {"a.py": "a = 2\n"}
        ),
        "two files": step(root, "Double both of the values", {"a.py": "a = 3\n", "b.py": "b = 2\n"}),
        "bot": step(root, "Raise the value of a", {"a.py": "a = 4\n"}, author="dependabot[bot] <x@x>"),
        "bump": step(root, "Bump the value of a", {"a.py": "a = 5\n"}),
        "short": step(root, "wip", {"a.py": "a = 6\n"}),
        "new file": step(root, "Add a file to it", {"c.py": "c = 1\n"}),
        "large": step(root, "Make a very large file", {"c.py": "x" * 200_000}),
        "words": step(root, "Say something in words", {"LICENSE": MIT + "\n"}),
    }
    run(root, "checkout", "-q", "-b", "side", "HEAD~2")
    step(root, "Raise the value of b", {"b.py": "b = 3\n"}, when="2025-05-06T07:08:09+02:00")
    run(root, "checkout", "-q", "main")
    run(root, "merge", "-q", "--no-ff", "-m", "Take the value of b from there", "side")
    return root, ids | {"side": run(root, "rev-parse", "side")}


def test_commits_are_before_message_and_after(stages, history):
    root, ids = history
    kept, rejected = collect(stages, root, domains=("commits",))
    assert {row["revision"]: row["text"] for row in kept} == {
        ids[
            "good"
        ]: "<commit_before>a = 1\n<commit_msg>Double the value of a\n\nIt was too small.<commit_after>a = 2\n",
        ids["side"]: "<commit_before>b = 2\n<commit_msg>Raise the value of b<commit_after>b = 3\n",
    }
    assert {(row["domain"], row["language"], row["license"], row["date"][4:]) for row in kept} == {
        ("commits", "Python", "MIT", "-05-06T07:08:09+02:00")
    }
    reasons = {row["evidence"].split()[0]: row["reason"] for row in rejected}
    names = {commit: name for name, commit in ids.items()}
    assert {names.get(commit, "first"): reason for commit, reason in reasons.items()} == {
        "two files": "commit_files",
        "bot": "commit_bot",
        "bump": "commit_message",
        "short": "commit_message",
        "large": "commit_bytes",
        "first": "commit_files",
    }


def test_commits_keep_to_their_budgets(stages, history):
    root, ids = history
    both, _ = collect(stages, root, domains=("code", "commits"), max_commit_files=2)
    assert sorted(row["domain"] for row in both) == ["code"] * 3 + ["commits"] * 4
    assert len({row["id"] for row in both}) == len(both)
    few, _ = collect(stages, root, domains=("commits",), max_commit_bytes=100)
    assert [row["revision"] for row in few] == [ids["side"]]
    newest, _ = collect(stages, root, domains=("commits",), max_commits=2)
    assert [row["revision"] for row in newest] == [ids["side"]]


def test_commits_of_a_bare_clone_are_those_of_the_checkout(stages, history, tmp_path):
    root, _ = history
    run(tmp_path, "clone", "-q", "--bare", str(root), "bare.git")
    found = [collect(stages, place, domains=("commits",))[0] for place in (root, tmp_path / "bare.git")]
    texts = [{(row["revision"], row["path"], row["text"], row["license"]) for row in rows} for rows in found]
    assert texts[0] == texts[1] != set()


def test_a_message_without_its_trailers_is_judged():
    body = b"author a <a@x> 1 +0000\n\nDo a thing to it\n\nReviewed-by: Eve <e@x>\nChange-Id: I12\n"
    assert commits._message(body) == ("Do a thing to it", None)
    assert commits._message(b"author a <a@x> 1 +0000\n\nReviewed-by: Eve <e@x>\n")[1]["reason"] == "commit_message"


# Many -------------------------------------------------------------------------------------------------------------------


def test_an_inventory_of_checkouts_asks_git_once_each(tmp_path, monkeypatch):
    first = make(tmp_path / "src/r0", {"LICENSE": MIT, "a.py": "a = 1\n"})
    for number in range(1, 100):
        shutil.copytree(first, tmp_path / f"src/r{number}")
    asked, start = [], git.Question._start
    monkeypatch.setattr(
        git.Question, "_start", lambda self, command, *rest: asked.append(command[1]) or start(self, command, *rest)
    )
    began = time.monotonic()
    identity(tmp_path / "src")
    assert asked == ["status"] * 100
    assert time.monotonic() - began < 10  # 1,000 of them then take less than 100 s on the slowest machine
    asked.clear()
    assert len(listed(tmp_path / "src")) == 100
    assert len(asked) == 300
