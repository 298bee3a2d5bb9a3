"""The order of a repository: after what is imported, README first, cycles ended the same way, parts cut between files."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records
from corpora.code.order import File, Level, OrderConfig, arrange, order_repositories
from corpora.code.topological import topological
from corpora.engine import Engine


def file(path, *imports, language="Python", size=10):
    return File(path=path, language=language, bytes=size, imports=imports)


def paths(files, max_part_bytes=10**6):
    parts, _ = arrange(files, max_part_bytes)
    return [[files[row].path for row in part.files] for part in parts]


@st.composite
def graphs(draw, acyclic):
    count = draw(st.integers(0, 8))
    limit = (lambda number: number - 1) if acyclic else (lambda _: count - 1)
    return [
        draw(st.sets(st.integers(0, limit(number)).filter(lambda n, number=number: n != number), max_size=4))
        if limit(number) >= 0 and count > 1
        else set()
        for number in range(count)
    ]


@given(graphs(acyclic=True), st.randoms(use_true_random=False))
def test_without_cycles_everything_comes_after_what_it_needs(needs, chance):
    names = list(range(len(needs)))
    chance.shuffle(names)
    renamed = [set() for _ in needs]
    for number, need in enumerate(needs):
        renamed[names[number]] = {names[other] for other in need}
    order = topological(renamed)
    assert all(order.index(other) < order.index(number) for number in names for other in renamed[number])


@given(graphs(acyclic=False))
def test_with_cycles_everything_comes_once(needs):
    assert sorted(topological(needs)) == list(range(len(needs)))


@given(graphs(acyclic=False))
def test_nothing_is_out_of_order_but_within_a_cycle(needs):
    def reached(start):
        seen, pending = set(), [start]
        while pending:
            for needed in needs[pending.pop()] - seen:
                seen.add(needed)
                pending.append(needed)
        return seen

    order = topological(needs)
    for number, need in enumerate(needs):
        for other in need:
            assert order.index(other) < order.index(number) or number in reached(other)


def test_what_needs_one_file_of_a_cycle_does_not_come_before_it():
    """It lacks less than any file of the cycle, and is in none."""
    assert topological([{1}, {2, 3}, {1, 3}, {1, 2}]) == [1, 0, 2, 3]


def test_a_cycle_is_broken_where_least_is_missing():
    assert topological([{2, 3}, set(), {0}, {0, 2}]) == [1, 2, 0, 3]
    assert topological([{1, 2}, {2}, {0, 1}]) == [1, 0, 2]


def test_a_file_follows_the_last_one_it_needed():
    files = [file("a/x.py"), file("b/y.py"), file("a/uses_x.py", ".x"), file("b/uses_y.py", ".y")]
    assert paths(files) == [["a/x.py", "a/uses_x.py", "b/y.py", "b/uses_y.py"]]


def test_documentation_is_first_and_build_files_follow_the_sources():
    files = [
        file("setup.py"),
        file("Makefile", language="Makefile"),
        file("docs/guide.md", language="Markdown"),
        file("pkg/main.py", ".core"),
        file("pkg/core.py"),
        file("README.md", language="Markdown"),
    ]
    assert paths(files) == [["README.md", "docs/guide.md", "pkg/core.py", "pkg/main.py", "Makefile", "setup.py"]]


def test_languages_that_cannot_import_each_other_are_parts_of_their_own():
    files = [file("a.go", language="Go"), *(file(f"{n}.ts", language="TypeScript", size=9) for n in "xyz")]
    files += [file("w.js", "./x", language="JavaScript", size=5), file("README.md", language="Markdown", size=99)]
    parts, counts = arrange(files, 10**6)
    assert [(part.language, len(part.files)) for part in parts] == [("TypeScript", 5), ("Go", 1)]
    assert counts == {"repositories": 1, "parts": 2, "imports": 1, "edges": 1, "edges_in_order": 1}


def test_a_long_repository_is_cut_between_files():
    files = [file(f"{n}.py", size=size) for n, size in enumerate([4, 4, 30, 1, 9])]
    assert paths(files, 10) == [["0.py", "1.py"], ["2.py"], ["3.py", "4.py"]]


def test_documents_without_sources_are_a_part_too():
    parts, _ = arrange([file("b.md", language="Markdown"), file("a.toml", language="TOML", size=99)], 1000)
    assert [(part.files, part.language) for part in parts] == [((0, 1), "TOML")]


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["Python", "Go", "Markdown", "YAML"]), st.integers(1, 40))
    )
)
def test_every_file_is_in_one_part_and_no_part_is_too_long(entries):
    files = [file(f"{n}{name}", language=language, size=size) for n, (name, language, size) in enumerate(entries)]
    parts, _ = arrange(files, 50)
    assert sorted(row for part in parts for row in part.files) == list(range(len(files)))
    assert all(len(part.files) == 1 or sum(files[row].bytes for row in part.files) <= 50 for part in parts)
    shuffled = random.Random(0).sample(files, len(files))
    assert [[shuffled[row].path for row in part.files] for part in arrange(shuffled, 50)[0]] == paths(files, 50)


@pytest.fixture
def rows(document):
    texts = {
        "one": {"a.py": "import b\n", "b.py": "import c\n", "c.py": "pass\n"},
        "two": {"x.py": "import y\n", "y.py": "é = 1\n"},
    }
    return [document(text, repository=name, path=path) for name, files in texts.items() for path, text in files.items()]


def run(stages, documents, *, workers=1, out=None, **config):
    out = out or stages.out()
    return out, order_repositories(
        out, documents=documents, config=OrderConfig(**config), engine=Engine(workers=workers)
    )


def test_repositories_are_arranged_and_nothing_is_lost(stages, rows):
    out, metrics = run(stages, stages.documents(rows, num_shards=1))
    kept = stages.kept(out, records.ARRANGED)
    assert [(row["part"], row["path"]) for row in kept] == [
        (0, "c.py"),
        (0, "b.py"),
        (0, "a.py"),
        (1, "y.py"),
        (1, "x.py"),
    ]
    assert {row["part_language"] for row in kept} == {"Python"}
    assert {row["fim"] for row in kept} == {None}
    assert sorted(row["id"] for row in kept) == sorted(row["id"] for row in rows)
    assert metrics == {
        "kept": 5, "bytes": 39, "repositories": 2, "parts": 2, "imports": 3, "edges": 3, "edges_in_order": 3
    }  # fmt: skip


def test_single_files_stay_as_they_came(stages, rows):
    out, metrics = run(stages, stages.documents(rows), level=Level.FILE)
    kept = stages.kept(out, records.ARRANGED)
    assert [row["id"] for row in kept] == [row["id"] for shard in (rows[::2], rows[1::2]) for row in shard]
    assert {(row["part"], row["part_language"]) for row in kept} == {(None, None)}
    assert (metrics["kept"], metrics["parts"]) == (5, 0)


def test_two_workers_and_a_killed_run_write_the_same_bytes(stages, rows, same_bytes, monkeypatch):
    documents = stages.documents(rows)
    whole, metrics = run(stages, documents)
    same_bytes(whole, run(stages, documents, workers=2)[0])
    out = stages.out()
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(stages, documents, out=out)
    monkeypatch.undo()
    assert run(stages, documents, out=out)[1] == metrics
    same_bytes(whole, out)


def test_an_empty_shard_is_arranged(stages):
    assert run(stages, stages.documents([]))[1]["kept"] == 0


def test_a_part_has_room():
    with pytest.raises(ValueError, match=r"OrderConfig\.max_part_bytes must be at least 1, got 0"):
        OrderConfig(max_part_bytes=0)
