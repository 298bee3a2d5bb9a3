"""Batches: what is read, how often, in which order, and what is learned."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.indexed import IndexedWriter
from specialize.config import (
    Attention,
    BatchUnit,
    FineTuneConfig,
    OptimizerConfig,
    ParallelConfig,
    PretrainConfig,
)
from specialize.data import Domain, PackData, PretrainData, interleave, micro_batches, read_prefixes, shares
from tests.specialize.conftest import write_packs, write_tokens

OPTIMIZER = OptimizerConfig(learning_rate=1e-3)
PRETRAIN = PretrainConfig(seq_length=16, global_batch_size=4, train_steps=8, optimizer=OPTIMIZER, replay_fraction=0.25)
FINE_TUNE = FineTuneConfig(seq_length=64, global_batch_size=8, epochs=1, optimizer=OPTIMIZER)


def open_pretrain(code, text, config):
    """Both domains."""
    weights = 1 - config.replay_fraction, config.replay_fraction
    return PretrainData(
        [Domain("code", weights[0], read_prefixes(code)), Domain("text", weights[1], read_prefixes(text))], config
    )


def all_samples(data):
    """Every sample of every step."""
    return [data.sample(place) for step in range(data.train_steps) for place in data.samples_of(step)]


def test_the_order_depends_on_the_seed_alone(code, text):
    first, again = open_pretrain(code, text, PRETRAIN), open_pretrain(code, text, PRETRAIN)
    other = open_pretrain(code, text, replace(PRETRAIN, seed=5))
    for mine, same in zip(all_samples(first), all_samples(again), strict=True):
        np.testing.assert_array_equal(mine.tokens, same.tokens)
    changed = zip(all_samples(first), all_samples(other), strict=True)
    assert any(not np.array_equal(mine.tokens, theirs.tokens) for mine, theirs in changed)


def test_a_step_is_read_without_the_steps_before_it(code, text):
    whole, late = open_pretrain(code, text, PRETRAIN), open_pretrain(code, text, PRETRAIN)
    all_samples(whole)
    expected = micro_batches(whole, 5, PRETRAIN)
    for batch, same in zip(micro_batches(late, 5, PRETRAIN), expected, strict=True):
        np.testing.assert_array_equal(batch.tokens_BT, same.tokens_BT)


def test_labels_are_the_next_tokens(code, text):
    for batch in micro_batches(open_pretrain(code, text, PRETRAIN), 0, PRETRAIN):
        np.testing.assert_array_equal(batch.tokens_BT[:, 1:], batch.labels_BT[:, :-1])
        assert batch.mask_BT.all()
        assert batch.bounds is None


def test_an_epoch_reads_each_token_once(tmp_path):
    """Labels of one epoch are the corpus but for its first token and a tail shorter than a sample."""
    writer = IndexedWriter(tmp_path / "code", np.int32)
    for start in range(0, 1000, 50):
        writer.add_document(np.arange(start, start + 50), [20, 30])
    writer.close()
    config = PretrainConfig(seq_length=16, global_batch_size=1, train_steps=62, optimizer=OPTIMIZER, replay_fraction=0)
    data = PretrainData([Domain("code", 1.0, {"Python": [tmp_path / "code"]})], config)
    labels = Counter(np.concatenate([sample.tokens[1:] for sample in all_samples(data)]).tolist())
    assert len(labels) == 62 * 16
    assert set(labels.values()) == {1}
    assert data.epochs == 1.0


def test_starts_are_where_documents_start(tmp_path):
    writer = IndexedWriter(tmp_path / "code", np.int32)
    for start in range(0, 1000, 50):
        writer.add_document(np.arange(start, start + 50), [50])
    writer.close()
    config = PretrainConfig(seq_length=64, global_batch_size=1, train_steps=15, optimizer=OPTIMIZER, replay_fraction=0)
    for sample in all_samples(PretrainData([Domain("code", 1.0, {"Python": [tmp_path / "code"]})], config)):
        inside = [place for place in sample.starts if place]
        assert inside == [place for place, token in enumerate(sample.tokens) if token % 50 == 0 and place]


def test_domains_keep_their_weights(tmp_path):
    for name, token in (("code", 1), ("text", 2)):
        (tmp_path / name).mkdir()
        write_tokens(tmp_path / name, name, documents=200, seed=token)
    data = open_pretrain(tmp_path / "code", tmp_path / "text", replace(PRETRAIN, train_steps=40))
    assert Counter(data._which.tolist()) == {0: 120, 1: 40}
    for step in range(40):
        assert Counter(data._which[list(data.samples_of(step))].tolist())[1] in {0, 1, 2}


def weighed(tmp_path, **more):
    """A corpus of 3,000 tokens of Python, 300 of Rust and 900 of commits, at weights."""
    rows = []
    for name, domain, language, count in (
        ("code_python_train", "code", "Python", 3000),
        ("code_rust_train", "code", "Rust", 300),
        ("commits_python_train", "commits", "Python", 900),
        ("code_ada_train", "code", "Ada", 900),
    ):
        writer = IndexedWriter(tmp_path / name, np.int32)
        writer.add_documents(np.arange(count), [50] * (count // 50), [1] * (count // 50))
        writer.close()
        rows.append({"name": name, "domain": domain, "language": language, "split": "train", "tokens": count})
    (tmp_path / "index.json").write_text(json.dumps({"prefixes": rows}))
    weights = (("Python", 2.0), ("Rust", 1.0), ("commits", 1.0))
    config = replace(PRETRAIN, replay_fraction=0, weights=weights, **more)
    return PretrainData([Domain("code", 1.0, read_prefixes(tmp_path), dict(config.weights))], config)


def test_languages_take_their_weights_up_to_the_cap(tmp_path):
    data = weighed(tmp_path, train_steps=20, max_epochs=2.0)
    # 80 samples of 16: Rust gives 2 epochs of its 18, the others go by weight
    assert Counter(data._which.tolist()) == {0: 40, 1: 20, 2: 20}
    read = {"code Python": 40 / 187, "code Rust": 20 / 18, "code commits": 20 / 56}
    assert data.epochs_of == {"code Ada": 0.0, **read}  # what has no weight is named, and not read
    capped = weighed(tmp_path, train_steps=20)
    assert Counter(capped._which.tolist()) == {0: 41, 1: 18, 2: 21}


def test_a_budget_above_the_caps_is_refused_in_samples(tmp_path):
    with pytest.raises(ValueError, match="code, in samples of 16 tokens: a budget of 400 is above the 261"):
        weighed(tmp_path, train_steps=100)


@pytest.mark.parametrize("parallel", [ParallelConfig(data_parallel=2), ParallelConfig(data_parallel=4)])
def test_data_parallel_ranks_share_out_the_batch(code, text, packs, parallel):
    for data, config in (
        (open_pretrain(code, text, PRETRAIN), PRETRAIN),
        (PackData(packs, FINE_TUNE), FINE_TUNE),
    ):
        for step in (0, 3):
            alone = _rows(micro_batches(data, step, config))
            cut = replace(config, parallel=parallel)
            ranks = [micro_batches(data, step, cut, rank=rank) for rank in range(parallel.data_parallel)]
            assert {len(batches) for batches in ranks} == {len(ranks[0])}
            assert _rows([batch for batches in ranks for batch in batches]) == alone


def _rows(batches):
    """What is learned, in any order."""
    rows = [
        tuple(labels[mask > 0].tolist())
        for batch in batches
        for labels, mask in zip(batch.labels_BT, batch.mask_BT, strict=True)
    ]
    return sorted(row for row in rows if row)


def test_an_epoch_reads_each_conversation_once(packs):
    data = PackData(packs, replace(FINE_TUNE, batch_unit=BatchUnit.PACKS, global_batch_size=6))
    assert data.train_steps == 10
    assert sorted(data._order.tolist()) == list(range(60))


def test_a_batch_counts_conversations(packs):
    data = PackData(packs, FINE_TUNE)
    counts = [
        sum(len(data.sample(place).starts) for place in data.samples_of(step)) for step in range(data.train_steps)
    ]
    assert all(abs(count - 8) < 4 for count in counts)
    assert abs(sum(counts) - 8 * data.train_steps) < 4
    places = [place for step in range(data.train_steps) for place in data.samples_of(step)]
    assert places == list(range(len(places)))


def test_a_pack_never_learns_across_conversations(packs):
    data = PackData(packs, FINE_TUNE)
    for batch in micro_batches(data, 0, FINE_TUNE):
        starts = batch.bounds[1:-1]
        assert not batch.mask_BT[0, starts - 1].any()
        assert batch.bounds[0] == 0
        assert batch.bounds[-1] == batch.tokens_BT.shape[1]
        learned = batch.mask_BT[0] > 0
        np.testing.assert_array_equal(batch.labels_BT[0, :-1][learned[:-1]], batch.tokens_BT[0, 1:][learned[:-1]])


def test_merged_packs_are_padded_rows(packs):
    config = replace(FINE_TUNE, attention=Attention.MERGED, micro_batch_size=2)
    data = PackData(packs, config)
    isolated = micro_batches(data, 0, FINE_TUNE)
    merged = micro_batches(data, 0, config)
    assert merged[0].tokens_BT.shape == (2, 64)
    assert sum(int(batch.mask_BT.sum()) for batch in merged) == sum(int(batch.mask_BT.sum()) for batch in isolated)


def test_too_little_data_is_refused_with_figures(code, text, packs):
    with pytest.raises(ValueError, match=r"code has [\d,]+ tokens.*the run takes 3,000.*max_epochs 1"):
        open_pretrain(code, text, replace(PRETRAIN, train_steps=1000))
    with pytest.raises(ValueError, match=r"conversations do not make 500 steps of 8: at most \d+ steps fit"):
        PackData(packs, replace(FINE_TUNE, epochs=None, train_steps=500))


def test_longer_packs_than_the_model_trains_on_are_refused(tmp_path):
    write_packs(tmp_path, packs=4, seed=1, seq_length=128)
    with pytest.raises(ValueError, match="at least that of the packs"):
        PackData(tmp_path, FINE_TUNE)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=5), st.integers(0, 500))
def test_shares_add_up(weights, total):
    counts = shares(weights, total)
    assert sum(counts) == total
    assert all(abs(count - weight / sum(weights) * total) < 1 for count, weight in zip(counts, weights, strict=True))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_interleaving_uses_every_item_once_and_in_order(counts):
    kinds, numbers = interleave(counts)
    for kind, count in enumerate(counts):
        assert numbers[kinds == kind].tolist() == list(range(count))
