"""Deduplication: who survives, that held-out text wins, and that order, shards and workers change nothing."""

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import SchemaError, shards, sieve
from corpora.code.filter import FilterConfig, filter_code
from corpora.dedup import (
    Earlier,
    NearDuplicatesConfig,
    UnitConfig,
    drop_exact_duplicates,
    drop_near_duplicates,
    earlier_inventory,
    index_duplicates,
)
from corpora.dedup.units import priority
from corpora.engine import Engine

ENGINE = Engine()
CONFIG = NearDuplicatesConfig()
BASE = [f"name_{i} = call_{i}(value)" for i in range(60)]


def variant(number):
    """A near duplicate of every other variant: one line of sixty differs."""
    lines = [*BASE]
    lines[number % 60] = f"other_{number} = 1"
    return "\n".join(lines)


def near(stages, rows, engine=ENGINE, num_shards=2, config=CONFIG, earlier=()):
    documents = stages.documents(rows, num_shards)
    index, out = indexed(stages, documents, engine, config), stages.out()
    given = {"documents": documents, "index": index, "config": config, "earlier": Earlier(tuple(map(str, earlier)))}
    return out, drop_near_duplicates(out, **given, engine=engine)


def indexed(stages, documents, engine=ENGINE, config=CONFIG):
    out = stages.out()
    index_duplicates(out, documents=documents, config=config.compared, engine=engine)
    return out


def test_of_equal_texts_the_least_id_survives_and_the_others_name_it(stages, document):
    rows = [document("same", path=f"{i}.py") for i in range(4)] + [document("other", path="x.py")]
    out = stages.out()
    metrics = drop_exact_duplicates(out, documents=stages.documents(rows), engine=ENGINE)
    survivor = min(row["id"] for row in rows[:4])
    assert {row["id"] for row in stages.kept(out)} == {survivor, rows[4]["id"]}
    assert [row["evidence"] for row in stages.rejected(out)] == [survivor] * 3
    assert metrics == {"kept": 2, "rejected": 3, "bytes": 9, "reasons": {"exact_duplicate": 3}}
    assert {path.name for path in out.iterdir()} == {"kept", "rejected"}


@pytest.mark.parametrize("drop", ["exact", "near"])
def test_a_training_copy_of_held_out_text_goes_whatever_its_id(stages, document, drop):
    rows = [document(variant(0), path=f"{i}.py") for i in range(6)]
    for heldout in rows:
        marked = [{**row, "split": "heldout" if row is heldout else "train"} for row in rows]
        out = stages.out()
        if drop == "exact":
            drop_exact_duplicates(out, documents=stages.documents(marked), engine=ENGINE)
        else:
            out, _ = near(stages, marked)
        assert [row["id"] for row in stages.kept(out)] == [heldout["id"]]


@pytest.mark.parametrize("drop", ["exact", "near"])
def test_all_that_two_repositories_share_falls_to_the_same_one(stages, document, drop):
    """Whichever it is: of what is equal in split, stars and date; among three the same holds for each pair."""
    texts = [f"{drop}_{k} = 1\n" + "\n".join(f"v_{k}_{i} = f_{k}_{i}(x)" for i in range(60)) for k in range(12)]
    rows = [document(text, path=f"{k}.py", repository=name) for name in ("a", "b", "c") for k, text in enumerate(texts)]
    rows = [row for row in rows if not (row["repository"] == "c" and int(row["path"][:-3]) % 2)]
    out = stages.out()
    if drop == "exact":
        drop_exact_duplicates(out, documents=stages.documents(rows, 3), engine=ENGINE)
    else:
        rows = [{**row, "text": row["text"] + f"\n# {row['repository']}"} for row in rows]
        out, _ = near(stages, rows, num_shards=3)
    places = {row["path"]: row["repository"] for row in stages.kept(out)}
    assert len(places) == len(stages.kept(out)) == 12
    in_three, in_two = ({places[f"{k}.py"] for k in range(start, 12, 2)} for start in (0, 1))
    assert len(in_three) == len(in_two) == 1
    assert in_two <= in_three | {"a", "b"}
    assert in_three in ({"c"}, in_two)


def test_the_filter_comes_first_so_that_a_vendored_copy_takes_nothing_with_it(stages, document):
    rows = [document(variant(0), path=path) for path in ("vendor/x/a.py", "a.py", "third_party/a.py")]
    rows = [{**row, "id": f"{number:032x}"} for number, row in enumerate(rows)]  # the vendored one has the least id
    filtered, out = stages.out(), stages.out()
    filter_code(filtered, documents=stages.documents(rows), config=FilterConfig(), engine=ENGINE)
    drop_exact_duplicates(out, documents=filtered, engine=ENGINE)
    assert [row["path"] for row in stages.kept(out)] == ["a.py"]


@pytest.mark.parametrize("drop", ["exact", "near"])
@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ([{"stars": 5}, {"stars": 90}, {"stars": None}, {"stars": 0}], 1),
        ([{"stars": None}, {"stars": 0}, {"date": "1999-01-01"}], 1),
        ([{"stars": 5, "date": "2020-01-02"}, {"stars": 5, "date": "2020-01-01T23:59:59Z"}, {"stars": 5}], 1),
        ([{"date": "2020-01-01T12:00:00+02:00"}, {"date": "2020-01-01T11:00:00"}, {"date": None}], 0),
        ([{"stars": 9}, {"stars": 1, "split": "heldout"}], 1),
    ],
)
def test_most_stars_survive_then_the_oldest_with_null_last_and_held_out_before_all(
    stages, document, drop, columns, best
):
    rows = [document(variant(0), path=f"{i}.py", **given) for i, given in enumerate(columns)]
    for order in (rows, rows[::-1]):
        if drop == "exact":
            out = stages.out()
            drop_exact_duplicates(out, documents=stages.documents(order), engine=ENGINE)
        else:
            out, _ = near(stages, order)
        assert [row["id"] for row in stages.kept(out)] == [rows[best]["id"]]


def test_what_is_like_an_earlier_document_goes_and_names_it(stages, document):
    """Also when the new one has more stars, is held out, or is like an earlier one only through another earlier one."""
    old = [document(variant(i), path=f"old{i}", stars=i) for i in range(3)]
    newer = [document(variant(7), path="newer", stars=50), document("def alone():\n    return 1\n", path="alone")]
    first, second = (indexed(stages, stages.documents(rows)) for rows in (old, newer))
    rows = [document(variant(9), path="a", stars=99), document(variant(11), path="b", split="heldout")]
    rows += [document("def alone():\n    return 1\n", path="c"), document("x = 1\ny = 2\nz = 3", path="d")]
    out, metrics = near(stages, rows, earlier=[first, second])
    assert [row["path"] for row in stages.kept(out)] == ["d"]
    assert {row["path"]: row["evidence"] for row in stages.rejected(out)} == {
        "a": old[2]["id"],
        "b": old[2]["id"],
        "c": newer[1]["id"],
    }
    assert (metrics["like_earlier"], metrics["clusters"], metrics["largest_cluster"]) == (3, 2, 6)
    members = {row["id"] for row in pq.read_table(out / "clusters.parquet").to_pylist()}
    assert members == {row["id"] for row in [*old, *newer, *rows[:3]]}


def test_exact_duplicates_of_an_earlier_document_go(stages, document):
    old = [document("same", path="old", stars=1), document("other", path="other")]
    index = indexed(stages, stages.documents(old))
    rows = [document("same", path="new", stars=9), document("new", path="x"), document("new", path="y")]
    out = stages.out()
    metrics = drop_exact_duplicates(
        out, documents=stages.documents(rows), engine=ENGINE, earlier=Earlier((str(index),))
    )
    gone = {row["path"]: row["evidence"] for row in stages.rejected(out)}
    assert gone.pop("new") == old[0]["id"]
    assert set(gone.values()) == {min(row["id"] for row in rows[1:])}
    assert (metrics["kept"], metrics["like_earlier"]) == (1, 1)


def test_two_batches_keep_the_clusters_of_one_corpus(stages, document):
    """Every text of the second batch that goes has a partner, and none that stays has one in the whole."""
    rows = [document(variant(i), path=f"v{i}") for i in range(6)] + [
        document(f"n_{i} = {i}", path=f"n{i}") for i in range(4)
    ]
    whole, _ = near(stages, rows)
    index = indexed(stages, stages.documents(rows[:3] + rows[8:]))
    first, _ = near(stages, rows[:3] + rows[8:])
    second, _ = near(stages, rows[3:8], earlier=[index])
    kept = [row["text"] for row in stages.kept(first) + stages.kept(second)]
    assert len(kept) == len(stages.kept(whole))
    assert {text for text in kept if "n_" in text} == {row["text"] for row in rows[6:]}


REPOSITORIES = UnitConfig(unit="repository")


def repositories(document, **stars):
    """Three repositories, a fork of the first with a file changed, and a copy of the first."""
    texts = {
        name: ["\n".join(f"{name}_{part}_{i} = f_{i}(x)" for i in range(200)) for part in range(4)] for name in "abc"
    }
    texts["fork"] = [*texts["a"][:3], texts["a"][3].replace("a_3_7 ", "changed ")]
    texts["copy"] = texts["b"][::-1]
    rows = [(name, k, text) for name, many in texts.items() for k, text in enumerate(many)]
    return [document(text, path=f"{k}.py", repository=name, stars=stars.get(name)) for name, k, text in rows]


def test_whole_repositories_go_and_name_the_least_document_of_the_survivor(stages, document):
    rows = repositories(document, fork=7)
    documents, config = stages.documents(rows, 1), NearDuplicatesConfig(unit="repository")
    exact, out = stages.out(), stages.out()
    drop_exact_duplicates(exact, documents=documents, engine=ENGINE, config=REPOSITORIES)
    gone = {row["repository"] for row in stages.rejected(exact)}
    assert gone in ({"b"}, {"copy"})
    index = indexed(stages, exact, config=config)
    metrics = drop_near_duplicates(out, documents=exact, index=index, config=config, engine=ENGINE)
    assert {row["repository"] for row in stages.rejected(out)} == {"a"}
    assert {row["repository"] for row in stages.kept(out)} == {"fork", "c", "b", "copy"} - gone
    assert {row["evidence"] for row in stages.rejected(out)} == {
        min(r["id"] for r in rows if r["repository"] == "fork")
    }
    assert (metrics["kept"], metrics["rejected"], metrics["clusters"]) == (12, 4, 1)
    assert len(pq.read_table(out / "clusters.parquet")) == 2


def test_a_repository_in_two_shards_is_refused(stages, document):
    rows = repositories(document)
    with pytest.raises(SchemaError, match=r"a repository lies in both part-00000-of-00002.parquet and part-00001"):
        index_duplicates(stages.out(), documents=stages.documents(rows, 2), config=REPOSITORIES, engine=ENGINE)


def test_the_index_has_the_same_bytes_for_any_number_of_workers_and_after_a_kill(
    stages, document, same_bytes, monkeypatch
):
    documents = stages.documents([document(variant(i // 2), path=f"{i}.py") for i in range(20)], 3)
    whole, killed = indexed(stages, documents), stages.out()
    same_bytes(whole, indexed(stages, documents, Engine(workers=2)))
    write = sieve.save_array

    def fail(path, array):
        if path.name == "signatures.npy" and "00001-of" in str(path):
            raise KeyboardInterrupt
        write(path, array)

    monkeypatch.setattr(sieve, "save_array", fail)
    with pytest.raises(KeyboardInterrupt):
        index_duplicates(killed, documents=documents, config=UnitConfig(), engine=ENGINE)
    monkeypatch.undo()
    index_duplicates(killed, documents=documents, config=UnitConfig(), engine=ENGINE)
    same_bytes(whole, killed)


def test_a_wrong_id_is_named(stages, document):
    rows = [document("a"), {**document("b"), "id": "xyz"}]
    with pytest.raises(SchemaError, match=r"part-00000-of-00001.parquet row 1: id 'xyz' is not 32 hex digits"):
        indexed(stages, stages.documents(rows, 1))


def test_dates_are_read_alike_by_every_python_and_one_that_is_none_comes_last():
    ordered = [
        *("1969-01-01", "2019-12-31T23:00:00-00:30", "2019-12-31 23:31", "2020-01-01", "2020-01-01T01:00:01.5+01:00"),
        *("2020-01-01 00:00:02 UTC", "2020-01-01T00:00:03Z", "2999-01-01", None),
    ]
    numbers = [priority("train", 5, date) for date in ordered]
    assert numbers == sorted(set(numbers))
    for none in ("", "last week", "20200101", "2020-W01-1", "2020-13-01", "2020-01-01T", "２020-01-01"):
        assert priority("train", 5, none) == priority("train", 5, None)


def test_an_index_of_other_documents_or_units_is_refused(stages, document):
    rows = [document(variant(i), path=f"{i}.py") for i in range(4)]
    index, out = indexed(stages, stages.documents(rows)), stages.out()
    with pytest.raises(SchemaError, match=r"does not hold what .* indexes; run IndexDuplicates again"):
        drop_near_duplicates(out, documents=stages.documents(rows[1:]), index=index, config=CONFIG, engine=ENGINE)
    with pytest.raises(SchemaError, match="is an index of 2 shards of units 'file', wanted 3"):
        drop_near_duplicates(out, documents=stages.documents(rows, 3), index=index, config=CONFIG, engine=ENGINE)
    earlier = Earlier((str(index),))
    with pytest.raises(ValueError, match="an index of units 'file', the recipe compares units 'repository'"):
        earlier.indexes("repository")


def test_a_truncated_index_is_named(stages, document):
    rows = [document(variant(i), path=f"{i}.py") for i in range(4)]
    index = indexed(stages, documents := stages.documents(rows))
    with (index / "signatures.npy").open("r+b") as stream:
        stream.truncate(500)
    with pytest.raises(
        SchemaError, match=r"signatures.npy is not readable .*; delete its folder and run the stage again"
    ):
        drop_near_duplicates(stages.out(), documents=documents, index=index, config=CONFIG, engine=ENGINE)


def test_earlier_indexes_are_pinned_by_fingerprint_and_place_and_must_be_finished(stages, document):
    folders = [indexed(stages, stages.documents([document("a")])) for _ in range(2)]
    earlier = Earlier(tuple(map(str, folders)))
    with pytest.raises(
        ValueError, match=r"luigi\.cfg \[duplicates\] earlier = .*: no finished output of IndexDuplicates"
    ):
        earlier_inventory(CONFIG, earlier)
    for number, folder in enumerate(folders):
        shards.write_json(folder / "manifest.json", {"fingerprint": f"f{number}"})
    assert earlier_inventory(CONFIG, earlier) == {"earlier 1": "f0", "earlier 2": "f1"}
    assert earlier_inventory(CONFIG, Earlier()) == {}


def test_clusters_name_every_member_and_its_survivor(stages, document):
    rows = [document(variant(i), path=f"{i}.py") for i in range(5)] + [document("def alone():\n    return 1\n")]
    out, metrics = near(stages, rows)
    least = min(row["id"] for row in rows[:5])
    clusters = pq.read_table(out / "clusters.parquet").to_pylist()
    assert [row["id"] for row in clusters] == sorted(row["id"] for row in rows[:5])
    assert {(row["cluster"], row["survivor"]) for row in clusters} == {(least, least)}
    assert (metrics["clusters"], metrics["largest_cluster"], metrics["rejected"]) == (1, 5, 4)
    assert all(0.65 <= row["value"] <= 1 and row["bound"] == 0.65 for row in stages.rejected(out))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["train", "heldout"])), min_size=1, max_size=12),
    num_shards=st.integers(1, 4),
    random=st.randoms(use_true_random=False),
)
def test_idempotent_and_free_of_order_and_sharding(stages, document, kinds, num_shards, random):
    rows = [
        document(variant(k) if k < 8 else f"alone_{k} = {k}", path=f"{i}", split=s) for i, (k, s) in enumerate(kinds)
    ]
    first = {row["id"] for row in stages.kept(near(stages, rows)[0])}
    shuffled = random.sample(rows, len(rows))
    out, _ = near(stages, shuffled, num_shards=num_shards)
    kept = stages.kept(out)
    assert {row["id"] for row in kept} == first
    assert near(stages, kept)[1]["rejected"] == 0


def test_same_bytes_for_any_number_of_workers(stages, document, same_bytes):
    rows = [document(variant(i // 2), path=f"{i}.py") for i in range(20)]
    one, _ = near(stages, rows)
    two, _ = near(stages, rows, engine=Engine(workers=2))
    same_bytes(one, two)


def test_a_killed_run_goes_on_where_it_stopped(stages, document, same_bytes, monkeypatch):
    write = sieve.write
    rows = [document(variant(i), path=f"{i}.py") for i in range(20)]
    documents, out = stages.documents(rows, 3), stages.out()
    index, written = indexed(stages, documents), []

    def fail_on_the_second(*arguments):
        if written:
            raise KeyboardInterrupt
        written.append(arguments[1])
        return write(*arguments)

    monkeypatch.setattr(sieve, "write", fail_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        drop_near_duplicates(out, documents=documents, index=index, config=CONFIG, engine=ENGINE)
    monkeypatch.undo()
    before = (out / "kept" / written[0]).stat().st_mtime_ns
    drop_near_duplicates(out, documents=documents, index=index, config=CONFIG, engine=ENGINE)
    assert (out / "kept" / written[0]).stat().st_mtime_ns == before
    fresh = stages.out()
    drop_near_duplicates(fresh, documents=documents, index=index, config=CONFIG, engine=ENGINE)
    same_bytes(out, fresh)


def test_empty_shards_and_an_empty_corpus_pass_through(stages):
    out, metrics = near(stages, [])
    assert metrics["kept"] == 0
    assert stages.kept(out) == []
    exact = stages.out()
    assert drop_exact_duplicates(exact, documents=out, engine=ENGINE)["kept"] == 0


def test_an_impossible_similarity_is_refused():
    with pytest.raises(ValueError, match=r"NearDuplicatesConfig\.jaccard must be above 0 and at most 1, got 1\.5"):
        NearDuplicatesConfig(jaccard=1.5)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match=r"NearDuplicatesConfig\.unit must be one of file, repository, got 'folder'"):
        NearDuplicatesConfig(unit="folder")


def test_files_that_share_only_a_licence_header_are_not_alike(stages, document):
    header = "".join(
        f"# {line}\n"
        for line in (
            'Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file',
            "except in compliance",
            "with the License. You may obtain a copy of the License at apache.org/licenses/LICENSE-2.0",
            "Unless required by applicable law or agreed to in writing, software distributed under the License",
            'is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.',
            "See the License for it",
        )
    )
    rows = [
        document(f"{header}\nimport {name}\nprint({name}.first, {name}.second, {name}.third)\n", path=f"{name}.py")
        for name in ("alpha", "beta", "gamma")
    ]
    documents, index, out = stages.documents(rows, 1), stages.out(), stages.out()
    index_duplicates(index, documents=documents, config=UnitConfig(), engine=Engine())
    counts = drop_near_duplicates(out, documents=documents, index=index, config=NearDuplicatesConfig(), engine=Engine())
    assert counts["kept"] == 3
