"""MinHash: the estimate is near the truth, clusters do not depend on order, odd texts do no harm."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import kernels, minhash


def sketch(*texts):
    return minhash.sketch(pa.chunked_array([pa.array(texts, pa.string())]))


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


def test_pairs_at_the_threshold_of_the_bands_are_found_as_often_as_the_formula_says():
    trials, found = 200, 0
    for trial in range(trials):
        words = [f"t{trial}_{i}" for i in range(600)]
        first, second = words[:500], words[:436] + words[500:564]
        assert 0.7 < jaccard(first, second) < 0.8
        found += len(set(minhash.cluster(sketch(" ".join(first), " ".join(second)), 0.65).tolist())) == 1
    assert found >= 0.93 * trials


@given(st.lists(st.sampled_from(["a b c d e f", "a b c d e f g", "x y z", "", "  ", "é ü ñ õ å ø", "1"]), max_size=12))
def test_equal_words_cluster_and_texts_without_words_never_do(texts):
    clusters = minhash.cluster(sketch(*texts), 0.65).tolist()
    for i, first in enumerate(texts):
        for j in range(i):
            if first == texts[j]:
                assert (clusters[i] == clusters[j]) == bool(first.split())
            elif not first.split():
                assert clusters[i] != clusters[j]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_partition_does_not_depend_on_the_order_of_the_texts(random):
    base = [f"w{i}" for i in range(60)]
    texts = [" ".join([*base[:cut], f"x{k}", *base[cut + 1 :]]) for k, cut in enumerate((5, 9, 20, 33, 50))]
    texts += [" ".join(f"u{k}_{i}" for i in range(40)) for k in range(3)]
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = minhash.cluster(sketch(*(texts[i] for i in order)), 0.65).tolist()
    plain = minhash.cluster(sketch(*texts), 0.65).tolist()
    groups = {frozenset(i for i, c in enumerate(plain) if c == cluster) for cluster in plain}
    assert groups == {frozenset(order[i] for i, c in enumerate(shuffled) if c == cluster) for cluster in shuffled}


def test_a_sliced_column_gives_the_sketches_of_its_own_texts():
    column = pa.array(["zero one two three four five", "a b c d e f", "g h i j k l"])
    whole, part = minhash.sketch(pa.chunked_array([column])), minhash.sketch(pa.chunked_array([column.slice(1)]))
    assert (whole.signatures[1:] == part.signatures).all()
    assert (whole.keys[:, 1:] == part.keys).all()
    assert kernels.text_buffer(column.slice(0, 0))[1].tolist() == [0]
