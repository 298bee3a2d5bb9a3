"""Plain folders that strangers filled: nothing outside is read, nothing hangs, and what is left out has a reason."""

import os
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.collect import FIXTURE, CollectCodeConfig, CollectTextConfig, Sources, collect_code, collect_text
from corpora.engine import Engine
from corpora.sources import MAXIMUM_REFUSALS, beneath, is_name, shown
from corpora.sources.beneath import Beneath
from corpora.sources.read import decode, read_text

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
ENOUGH = {"budget_bytes": 10**10, "max_repository_bytes": 10**10, "num_shards": 1, "seed": 1, "kinds": ("folders",)}
CANARY = "canary_of_a_file_outside = 1\n"


@pytest.fixture
def home(tmp_path):
    """A folder with a good file, beside one that must never be read."""
    root = tmp_path / "project"
    for name, text in {"project/LICENSE": MIT, "project/good.py": "good = 1\n", "outside/o.py": CANARY}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return root


def collect(stages, root, **changes):
    out = stages.out()
    sources = Sources(folders=(("mine", str(root)),))
    collect_code(out, config=CollectCodeConfig(**ENOUGH | changes), sources=sources, engine=Engine())
    return out


def sparse(path, size):
    with path.open("wb") as stream:
        stream.truncate(size)


def unix_socket(path):
    one = socket.socket(socket.AF_UNIX)
    one.bind(os.path.relpath(path))


def device(path):
    try:
        os.mknod(path, 0o20666, os.makedev(1, 5))  # zeros without end
    except PermissionError:
        pytest.skip("no devices here")


def unreadable(path):
    path.write_text("x = 1\n")
    path.chmod(0)


HOSTILE = {
    "a link out": (lambda root: (root / "l.py").symlink_to("../outside/o.py"), {"l.py": "link"}),
    "an absolute link": (lambda root: (root / "l.py").symlink_to(root.parent / "outside/o.py"), {"l.py": "link"}),
    "a link to a folder": (lambda root: (root / "d").symlink_to("../outside"), {"d": "link"}),
    "a loop": (lambda root: (root / "loop").symlink_to(root), {"loop": "link"}),
    "a link to itself": (lambda root: (root / "self.py").symlink_to("self.py"), {"self.py": "link"}),
    "a link to nothing": (lambda root: (root / "gone.py").symlink_to("nowhere.py"), {"gone.py": "link"}),
    "a licence that is a link": (lambda root: (root / "sub").mkdir() or (root / "sub/LICENSE").symlink_to("/etc/passwd"),
                                 {"sub/LICENSE": "link"}),
    "a pipe": (lambda root: os.mkfifo(root / "p.py"), {"p.py": "not_regular"}),
    "a licence that is a pipe": (lambda root: (root / "sub").mkdir() or os.mkfifo(root / "sub/LICENSE"),
                                 {"sub/LICENSE": "not_regular"}),
    "a script that is a pipe": (lambda root: os.mkfifo(root / "script"), {"script": "not_regular"}),
    "a device": (lambda root: device(root / "zero.py"), {"zero.py": "not_regular"}),
    "a socket": (lambda root: unix_socket(root / "s.py"), {"s.py": "not_regular"}),
    "5 GB in one line": (lambda root: sparse(root / "line.py", 5 << 30), {"line.py": "file_bytes"}),
    "UTF-16": (lambda root: (root / "w.py").write_text("a = 1\n", encoding="utf-16"), {"w.py": "not_utf8"}),
    "UTF-16, big end first": (lambda root: (root / "w.py").write_bytes("\ufeffa".encode("utf-16-be")), {"w.py": "not_utf8"}),
    "UTF-32": (lambda root: (root / "w.py").write_text("a = 1\n", encoding="utf-32"), {"w.py": "not_utf8"}),
    "UTF-16 without a mark": (lambda root: (root / "w.py").write_bytes("a = 1\n".encode("utf-16-le")), {"w.py": "binary"}),
    "Latin-1": (lambda root: (root / "w.py").write_bytes(b"\xe9 = 1\n"), {"w.py": "not_utf8"}),
    "a line end in a name": (lambda root: (root / "a\nb.py").write_text("a = 1\n"), {"a\\x0ab.py": "file_name"}),
    "an escape in a name": (lambda root: (root / "a\x1b[2Jb.py").write_text("a = 1\n"), {"a\\x1b[2Jb.py": "file_name"}),
    "a name that is no text": (lambda root: (root / os.fsdecode(b"\xff.py")).write_text("a = 1\n"), {"\\xff.py": "file_name"}),
    "a folder whose name is no text": (lambda root: (root / os.fsdecode(b"\xff")).mkdir(), {"\\xff": "file_name"}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_in_a_folder_has_a_reason(stages, home, name, monkeypatch):
    monkeypatch.chdir(home.parent)
    make, reasons = HOSTILE[name]
    make(home)
    began = time.monotonic()
    out = collect(stages, home, languages=("Python", "Shell"))
    assert time.monotonic() - began < 5
    assert {row["path"]: row["text"] for row in stages.kept(out)} == {"good.py": "good = 1\n"}
    assert {row["path"]: row["reason"] for row in stages.rejected(out)} == reasons


def test_files_and_folders_that_may_not_be_read_have_reasons(stages, home):
    if not os.getuid():
        pytest.skip("root may read everything")
    unreadable(home / "closed.py")
    (home / "closed").mkdir(mode=0)
    rejected = stages.rejected(collect(stages, home))
    (home / "closed").chmod(0o700)
    assert {row["path"]: row["reason"] for row in rejected} == {"closed.py": "unreadable", "closed/": "unreadable"}


@pytest.mark.parametrize("swap", ["file", "folder", "pipe"])
def test_what_is_swapped_after_the_plan_is_refused(stages, home, monkeypatch, swap):
    (home / "part").mkdir()
    (home / "part" / "o.py").write_text("mine = 1\n")
    real = beneath.contents

    def swapped(repository, max_bytes):
        (home / "part/o.py").unlink()
        if swap == "file":
            (home / "part/o.py").symlink_to(home.parent / "outside/o.py")
        elif swap == "pipe":
            os.mkfifo(home / "part/o.py")
        else:
            (home / "part").rmdir()
            (home / "part").symlink_to(home.parent / "outside")
        return real(repository, max_bytes)

    monkeypatch.setitem(__import__("corpora.sources.read", fromlist=["READERS"]).READERS, "folder", swapped)
    out = collect(stages, home)
    assert {row["text"] for row in stages.kept(out)} == {"good = 1\n"}
    assert {row["path"]: row["reason"] for row in stages.rejected(out)} == {
        "part/o.py": "not_regular" if swap == "pipe" else "link"
    }


def test_no_path_is_read_outside_while_links_change(home):
    """A file is swapped for a link out and back as fast as it goes; the reader sees its own file or a reason."""
    inside, link, stop = home / "x.py", home / "x.link", threading.Event()

    def swap():
        while not stop.is_set():
            link.symlink_to(home.parent / "outside/o.py")
            link.replace(inside)
            link.write_text("mine = 1\n")
            link.replace(inside)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    with Beneath(home) as below:
        for _ in range(2_000):
            found = below.read("x.py", 100)
            seen.add(found if isinstance(found, bytes) else found["reason"])
    stop.set()
    thread.join()
    assert seen <= {b"mine = 1\n", "link", "unreadable"}
    assert len(seen) > 1


@pytest.mark.parametrize("path", ["../outside/o.py", "x/../../outside/o.py", "part/../../outside/o.py"])
def test_a_path_with_dots_is_refused(home, path):
    (home / "part").mkdir()
    with Beneath(home) as below:
        assert below.read(path, 100)["reason"] in ("outside", "unreadable")
        assert below.size(path) is None
        assert below.head(path, 10) == b""


def test_a_file_that_grows_is_read_to_the_bound(home, monkeypatch):
    monkeypatch.setattr(
        beneath.os, "fstat", lambda one, real=os.fstat: os.stat_result([*real(one)[:6], 1, *real(one)[7:10]])
    )
    (home / "log.py").write_text("x" * 5_000)
    with Beneath(home) as below:
        assert below.read("log.py", 1_000) == {"reason": "file_bytes", "value": 1_001.0, "bound": 1_000.0}


def test_refusals_are_told_once_and_in_bounds(stages, home):
    for number in range(MAXIMUM_REFUSALS + 5):
        (home / f"l{number}.py").symlink_to("x")
    rejected = stages.rejected(collect(stages, home))
    assert len(rejected) == MAXIMUM_REFUSALS + 1
    assert [row["evidence"] for row in rejected if not row["path"]] == ["and 5 more"]
    out = stages.out()
    (home / "words.md").write_text("Words.\n")
    collect_text(
        out, config=CollectTextConfig(**ENOUGH), sources=Sources(folders=(("mine", str(home)),)), engine=Engine()
    )
    assert [row["path"] for row in stages.kept(out)] == ["words.md"]
    assert [row["reason"] for row in stages.rejected(out)] == ["refused_members"]


def test_a_file_that_the_user_names_is_read_through_links(home, tmp_path):
    (tmp_path / "link.py").symlink_to(home / "good.py")
    assert read_text(tmp_path / "link.py", 100) == "good = 1\n"
    assert read_text(tmp_path / "none" / "a.py", 100)["reason"] == "unreadable"


@given(st.text(max_size=30) | st.binary(max_size=30).map(os.fsdecode))
def test_every_name_can_be_shown(path):
    assert is_name(shown(path))
    assert shown(path) == path or not is_name(path)


@given(st.binary(max_size=40))
def test_bytes_are_text_or_have_a_reason(data):
    found = decode(data)
    assert found["reason"] in ("not_utf8", "binary", "empty") if isinstance(found, dict) else found.strip()


def test_documentation_is_a_domain_where_the_recipe_asks_for_it(stages, home):
    for name in ("README.md", "docs/guide.rst", "docs/notes.txt", "docs/manual.adoc", "requirements.txt", "LICENSE.md"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("Words about it.\n" if name != "LICENSE.md" else MIT)
    kept = {row["path"]: (row["domain"], row["language"]) for row in stages.kept(collect(stages, home))}
    assert kept == {"good.py": ("code", "Python")}
    found = stages.kept(collect(stages, home, domains=("code", "documentation")))
    assert {row["path"]: (row["domain"], row["language"]) for row in found} == {
        "good.py": ("code", "Python"),
        "README.md": ("documentation", "Markdown"),
        "docs/guide.rst": ("documentation", "reStructuredText"),
        "docs/notes.txt": ("documentation", "Text"),
        "docs/manual.adoc": ("documentation", "AsciiDoc"),
    }
    assert {row["domain"] for row in stages.kept(collect(stages, home, domains=("documentation",)))} == {
        "documentation"
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains": ("code", "poems")}, "CollectCodeConfig.domains must be of .*got poems"),
        ({"max_commits": 0}, "CollectCodeConfig.max_commits must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CollectCodeConfig(**ENOUGH | changes)
