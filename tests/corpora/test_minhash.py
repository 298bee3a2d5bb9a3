"""MinHash: the estimate is near the truth, clusters do not depend on order, odd texts do no harm."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import kernels, minhash
from corpora.dedup import clusters


def sketch(*texts):
    return minhash.sketch(pa.chunked_array([pa.array(texts, pa.string())]))


class InMemory:
    """An index of texts whose ids are their numbers, or what is given."""

    def __init__(self, sketches, ids):
        count = len(sketches.signatures)
        names = b"".join(number.to_bytes(16, "big") for number in ids or range(count))
        self._arrays = {
            "ids": np.frombuffer(names, np.uint8).reshape(-1, 16),
            "keys": sketches.keys,
            "signatures": sketches.signatures,
            "priorities": np.zeros(count, np.uint64),
            "origins": np.zeros(count, np.uint64),
        }

    def __len__(self):
        return len(self._arrays["signatures"])

    def array(self, name):
        return self._arrays[name]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """For each text the number of the text with the least id of its cluster."""
    scratch = tmp_path_factory.mktemp("scratch")

    def find(*texts, ids=None, widest=clusters.WIDEST_RUN):
        joined = clusters.Joined((InMemory(sketch(*texts), ids),))
        agreement = dataclasses.replace(clusters.near(0.65, minhash.PERMUTATIONS), widest=widest)
        return clusters.elect(joined, agreement, scratch).names.tolist()

    return find


def jaccard(first, second):
    sets = [{tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (first, second)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@given(common=st.integers(5, 400), changed=st.integers(5, 400), seed=st.integers(0, 2**32))
def test_the_estimate_is_within_five_sigma_of_the_jaccard_similarity(common, changed, seed):
    words = [f"w{seed}_{i}" for i in range(common + 2 * changed)]
    first, second = words[: common + changed], words[:common] + words[common + changed :]
    found = sketch(" ".join(first), "(" + ",\n".join(second) + ")")
    estimate = minhash.similarity(found.signatures[0], found.signatures[1])
    assert abs(estimate - jaccard(first, second)) <= 5 * 0.5 / np.sqrt(minhash.PERMUTATIONS) + 1 / 256


def test_pairs_at_the_threshold_of_the_bands_are_found_as_often_as_the_formula_says(cluster):
    texts = []
    for trial in range(200):
        words = [f"t{trial}_{i}" for i in range(600)]
        first, second = words[:500], words[:436] + words[500:564]
        assert 0.7 < jaccard(first, second) < 0.8
        texts += [" ".join(first), " ".join(second)]
    found = cluster(*texts)
    assert sum(first == second for first, second in zip(found[::2], found[1::2], strict=True)) >= 0.93 * 200


@given(st.lists(st.sampled_from(["a b c d e f", "a b c d e f g", "x y z", "", "  ", "é ü ñ õ å ø", "1"]), max_size=12))
def test_equal_words_cluster_and_texts_without_words_never_do(cluster, texts):
    clusters = cluster(*texts)
    for i, first in enumerate(texts):
        for j in range(i):
            if first == texts[j]:
                assert (clusters[i] == clusters[j]) == bool(first.split())
            elif not first.split():
                assert clusters[i] != clusters[j]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False), st.sampled_from([1, 3, 1000]))
def test_the_partition_does_not_depend_on_the_order_of_the_texts(cluster, random, widest):
    """Also where a run of equal keys is wider than what is compared: its least ids are, wherever they lie."""
    base = [f"w{i}" for i in range(60)]
    texts = [" ".join([*base[:cut], f"x{k}", *base[cut + 1 :]]) for k, cut in enumerate((5, 9, 20, 33, 50))]
    texts += [" ".join(f"u{k}_{i}" for i in range(40)) for k in range(3)]
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = cluster(*(texts[i] for i in order), ids=order, widest=widest)
    plain = cluster(*texts, widest=widest)
    assert [order[name] for name in shuffled] == [plain[i] for i in order]


def test_files_of_one_unit_make_the_sketch_of_their_union_in_any_order():
    texts = [f"{letter} " * 3 + " ".join(f"{letter}{i}" for i in range(50)) for letter in "abc"]
    alone = minhash.sketch(pa.array([texts[1]]))
    joint = minhash.sketch(pa.array(texts), np.array([0, 1, 0]))
    swapped = minhash.sketch(pa.array(texts[::-1]), np.array([0, 1, 0]))
    assert (joint.signatures == swapped.signatures).all()
    assert (joint.keys == swapped.keys).all()
    assert (joint.signatures[1] == alone.signatures[0]).all()
    assert 0.4 < minhash.similarity(joint.signatures[0], sketch(texts[0]).signatures[0]) < 0.6


def test_a_sliced_column_gives_the_sketches_of_its_own_texts():
    column = pa.array(["zero one two three four five", "a b c d e f", "g h i j k l"])
    whole, part = minhash.sketch(pa.chunked_array([column])), minhash.sketch(pa.chunked_array([column.slice(1)]))
    assert (whole.signatures[1:] == part.signatures).all()
    assert (whole.keys[:, 1:] == part.keys).all()
    assert kernels.text_buffer(column.slice(0, 0))[1].tolist() == [0]
