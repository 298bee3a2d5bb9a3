"""Packs: every conversation that fits in exactly one pack, none cut, its mask with it, whatever the input's order."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import shards
from corpora.chat import MaskMode, encode
from corpora.indexed import IndexedReader
from corpora.pack import PackConfig, pack, plan
from corpora.tokenizer import Tokenizer, TrainTokenizerConfig, train_tokenizer


@given(st.lists(st.integers(1, 50), max_size=60))
def test_a_plan_is_a_permutation_without_a_pack_over_the_length(lengths):
    packs = plan(lengths, seq_length=50)
    assert sorted(position for members in packs for position in members) == list(range(len(lengths)))
    assert all(sum(lengths[position] for position in members) <= 50 for members in packs)


@given(st.lists(st.integers(1, 50), max_size=60))
def test_no_two_packs_of_a_plan_would_fit_in_one(lengths):
    sizes = sorted(sum(lengths[position] for position in members) for members in plan(lengths, seq_length=50))
    assert len(sizes) < 2 or sizes[0] + sizes[1] > 50


@pytest.fixture
def base(stages, document):
    """A base with a small tokenizer of its own."""
    text = "What is 12 + 30? 12 + 30 = 42\n#### 42\nThe quick brown fox.\n" * 4
    folder = stages.documents([document(text)], 1)
    train_tokenizer(folder, documents=folder, config=TrainTokenizerConfig(vocab_size=300))
    return folder


def conversation(number, *, reply=None):
    rng = random.Random(number)
    question = f"What is {number} + {number}?" + " Please." * rng.randint(0, 6)
    answer = f"{2 * number}" if reply is None else reply
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    columns = {"kind": "drill", "tests": None, "verdict": "verified", "evidence": "", "source": "t", "license": "MIT"}
    return {"id": f"{number:032x}", "messages": messages, **columns}


ROWS = [conversation(number) for number in range(60)]
CONFIG = PackConfig(seq_length=96)


def read_back(out):
    tokens, mask = IndexedReader(out / "packs"), IndexedReader(out / "mask")
    assert tokens.dtype == np.int32
    assert mask.dtype == np.uint8
    assert tokens.sequence_lengths.tolist() == mask.sequence_lengths.tolist()
    assert tokens.document_indices.tolist() == mask.document_indices.tolist()
    return [(tuple(tokens.get(i).tolist()), tuple(mask.get(i).tolist())) for i in range(len(tokens))], tokens


def test_packs_hold_every_conversation_once_with_its_mask(stages, base):
    out = stages.out()
    index = pack(out, conversations=stages.conversations(ROWS), base=base, config=CONFIG)
    found, reader = read_back(out)
    tokenizer = Tokenizer.load(base / "tokenizer")
    encoded = encode([row["messages"] for row in ROWS], tokenizer=tokenizer, mode=MaskMode.REPORT)
    assert sorted(found) == sorted((tuple(e.ids.tolist()), tuple(e.mask.tolist())) for e in encoded)
    boundaries = reader.document_indices.tolist()
    sizes = [int(reader.sequence_lengths[a:b].sum()) for a, b in pairwise(boundaries)]
    assert max(sizes) <= CONFIG.seq_length
    assert index == shards.read_json(out / "index.json")
    assert (index["packs"], index["conversations"], index["dropped"]) == (len(sizes), 60, 0)
    assert (index["tokens"], index["learned_tokens"]) == (sum(sizes), sum(int(e.mask.sum()) for e in encoded))


def test_the_order_of_the_input_and_its_shards_change_no_byte(stages, base, same_bytes):
    folders = []
    for rows, num_shards in ((ROWS, 1), (random.Random(1).sample(ROWS, len(ROWS)), 1)):
        folders.append(stages.out())
        pack(folders[-1], conversations=stages.conversations(rows, num_shards), base=base, config=CONFIG)
    same_bytes(*folders)
    other = stages.out()
    pack(other, conversations=stages.conversations(ROWS, 3), base=base, config=CONFIG)
    for name in ("packs.bin", "packs.idx", "mask.bin", "mask.idx", "index.json"):
        assert (other / name).read_bytes() == (folders[0] / name).read_bytes()


def test_the_seed_decides_the_order(stages, base):
    orders = []
    for seed in (0, 1):
        out = stages.out()
        pack(out, conversations=stages.conversations(ROWS), base=base, config=PackConfig(seq_length=96, seed=seed))
        orders.append(read_back(out)[0])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_what_does_not_fit_or_teaches_nothing_is_rejected_never_cut(stages, base):
    long, silent = conversation(100, reply="9 " * 200), conversation(101)
    silent["messages"] = silent["messages"][:1]
    out = stages.out()
    index = pack(out, conversations=stages.conversations([*ROWS, long, silent]), base=base, config=CONFIG)
    assert (index["conversations"], index["dropped"]) == (60, 2)
    rejected = {row["id"]: row for row in stages.rejected(out)}
    assert rejected[long["id"]]["reason"] == "too_long"
    assert rejected[long["id"]]["value"] > rejected[long["id"]]["bound"] == 96
    assert rejected[silent["id"]]["reason"] == "nothing_learned"


def test_no_conversation_gives_no_pack(stages, base):
    out = stages.out()
    index = pack(out, conversations=stages.conversations([]), base=base, config=CONFIG)
    assert (index["packs"], index["filled_fraction"]) == (0, 0.0)
    assert read_back(out)[0] == []


def test_a_wrong_config_is_refused():
    with pytest.raises(ValueError, match=r"PackConfig\.seq_length must be at least 1, got 0"):
        PackConfig(seq_length=0)
