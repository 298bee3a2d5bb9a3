"""Deduplication: who survives, that held-out text wins, and that order, shards and workers change nothing."""

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import sieve
from corpora.dedup import NearDuplicatesConfig, drop_exact_duplicates, drop_near_duplicates
from corpora.engine import Engine

ENGINE = Engine()
CONFIG = NearDuplicatesConfig()
BASE = [f"name_{i} = call_{i}(value)" for i in range(60)]


def variant(number):
    """A near duplicate of every other variant: one line of sixty differs."""
    lines = [*BASE]
    lines[number % 60] = f"other_{number} = 1"
    return "\n".join(lines)


def near(stages, rows, engine=ENGINE, num_shards=2):
    out = stages.out()
    metrics = drop_near_duplicates(out, documents=stages.documents(rows, num_shards), config=CONFIG, engine=engine)
    return out, metrics


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
            drop_near_duplicates(out, documents=stages.documents(marked), config=CONFIG, engine=ENGINE)
        assert [row["id"] for row in stages.kept(out)] == [heldout["id"]]


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
    written = []

    def fail_on_the_second(*arguments):
        if written:
            raise KeyboardInterrupt
        written.append(arguments[1])
        return write(*arguments)

    monkeypatch.setattr(sieve, "write", fail_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        drop_near_duplicates(out, documents=documents, config=CONFIG, engine=ENGINE)
    monkeypatch.undo()
    before = (out / "kept" / written[0]).stat().st_mtime_ns
    drop_near_duplicates(out, documents=documents, config=CONFIG, engine=ENGINE)
    assert (out / "kept" / written[0]).stat().st_mtime_ns == before
    fresh = stages.out()
    drop_near_duplicates(fresh, documents=documents, config=CONFIG, engine=ENGINE)
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
