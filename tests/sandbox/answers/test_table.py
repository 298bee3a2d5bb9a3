"""The table itself: its size, its labels, and that its two parts share nothing."""

from collections import Counter

from tests.sandbox.answers.pairs import LABELS, PARTS, read_extractions, read_pairs

PAIRS = {part: read_pairs(part) for part in PARTS}
EXTRACTIONS = {part: read_extractions(part) for part in PARTS}


def test_there_are_enough_pairs_and_a_third_is_held_out():
    sizes = {part: len(pairs) for part, pairs in PAIRS.items()}
    assert sum(sizes.values()) >= 2000
    assert 0.30 <= sizes["heldout"] / sum(sizes.values()) <= 0.40


def test_unlike_pairs_are_at_least_as_many_as_like_ones():
    for pairs in PAIRS.values():
        labels = Counter(pair.label for pair in pairs)
        assert set(labels) == set(LABELS)
        assert labels["different"] >= labels["equal"]


def test_the_parts_share_no_gold_and_no_category_is_missing_from_one():
    dev, heldout = PAIRS["dev"], PAIRS["heldout"]
    assert not {pair.group for pair in dev} & {pair.group for pair in heldout}
    assert not {pair.gold for pair in dev} & {pair.gold for pair in heldout}
    assert {pair.category for pair in dev} == {pair.category for pair in heldout}


def test_no_pair_is_there_twice():
    pairs = [pair for part in PAIRS.values() for pair in part]
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({(pair.gold, pair.predicted, pair.question, pair.tolerance) for pair in pairs}) == len(pairs)


def test_every_style_has_replies_with_an_answer_and_without_one():
    for replies in EXTRACTIONS.values():
        assert len({reply.style for reply in replies}) == 7
        assert {reply.expected is None for reply in replies} == {True, False}


def test_the_parts_share_no_reply():
    dev, heldout = ({reply.reply for reply in EXTRACTIONS[part] if reply.expected is not None} for part in PARTS)
    assert not dev & heldout
